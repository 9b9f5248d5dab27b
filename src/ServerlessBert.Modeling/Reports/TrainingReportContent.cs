using System.Globalization;

namespace ServerlessBert.Modeling;

/// <summary>What <see cref="TrainingReport"/> shows of a training.</summary>
public static class TrainingReportContent
{
    /// <summary>Gathers it.</summary>
    /// <param name="record">The training.</param>
    /// <param name="log">What it logged.</param>
    /// <param name="split">Its rows, in the order in which they were measured.</param>
    /// <param name="config">The model's shape.</param>
    public static ReportContent Of(TrainingRecord record, LoggedTraining log, StratifiedSplit split, BertConfig config)
    {
        TrainingResult result = record.Result;
        return new ReportContent
        {
            Title = $"Review classifier from {record.Base}",
            Subtitle = string.Create(CultureInfo.InvariantCulture,
                $"Fine-tuned on {split.Train.Count:N0} reviews in {Numbers.Duration(result.Seconds)} on {record.Device}, {record.Finished.UtcDateTime:yyyy-MM-dd HH:mm} UTC{Ending(result)}."),
            Log = log,
            KeptStep = result.KeptStep,
            HeldOut = result.HeldOutProbabilities is { } probabilities
                ? new HeldOutPredictions(split.Evaluation, probabilities) { Temperature = result.Calibration?.Temperature, CalibratedError = result.Calibration?.ErrorAfter }
                : null,
            Data = [LabelCounts.Of("learned from", split.Train, config.NumLabels), LabelCounts.Of("held out", split.Evaluation, config.NumLabels)],
            Settings =
            [
                ReportSettings.Of("Training options", record.Options),
                ReportSettings.Of(record),
                ReportSettings.Of("Model", config),
                new SettingsGroup("Files", [.. record.Data.Select(source => (source.Name, $"{Numbers.Count(source.Rows)} rows"))]),
            ],
        };
    }

    private static string Ending(TrainingResult result) => result.End switch
    {
        TrainingEnd.EarlyStopping => string.Create(CultureInfo.InvariantCulture, $"; stopped early after {result.Steps:N0} steps"),
        TrainingEnd.TimeLimit => string.Create(CultureInfo.InvariantCulture, $"; ended by its time limit after {result.Steps:N0} steps"),
        TrainingEnd.Cancelled => string.Create(CultureInfo.InvariantCulture, $"; cancelled after {result.Steps:N0} steps"),
        _ => "",
    };
}
