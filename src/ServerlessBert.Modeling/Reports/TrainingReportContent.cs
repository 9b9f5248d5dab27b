using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using ServerlessBert.Modeling.Bert;
using ServerlessBert.Modeling.Training;

namespace ServerlessBert.Modeling.Reports;

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
                $"Fine-tuned on {split.Train.Count:N0} reviews in {Numbers.Duration(result.Seconds)} on {record.Device}, "
                    + $"{record.Finished.UtcDateTime:yyyy-MM-dd HH:mm} UTC{Ending(result)}."),
            Log = log,
            KeptStep = result.KeptStep,
            HeldOut = result.HeldOutProbabilities is { } probabilities
                ? new HeldOutPredictions(
                    split.Evaluation, probabilities)
                {
                    Temperature = result.Calibration?.Temperature,
                    CalibratedError = result.Calibration?.ErrorAfter
                }
                : null,
            Data = [LabelCounts.Of("learned from", split.Train, config.NumLabels),
                LabelCounts.Of("held out", split.Evaluation, config.NumLabels)],
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

/// <summary>Records as groups of settings, named as in training.json.</summary>
public static class ReportSettings
{
    private static readonly JsonSerializerOptions Json =
        new(JsonSerializerDefaults.Web) { Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) } };

    /// <summary>Every property of a record; what is null is shown as not set, objects are left out.</summary>
    public static SettingsGroup Of<T>(string name, T record) => new(name,
    [
        .. JsonSerializer.SerializeToElement(record, Json).EnumerateObject()
            .Where(property => property.Value.ValueKind != JsonValueKind.Object)
            .Select(property => (property.Name, Text(property.Value))),
    ]);

    private static string Text(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null => "not set",
        JsonValueKind.Array => string.Join(", ", value.EnumerateArray().Select(Text)),
        JsonValueKind.Number =>
            value.GetDouble() is var number && Math.Abs(number) is > 0 and < 0.001 ? Numbers.Short(number) : value.GetRawText(),
        JsonValueKind.True => "yes",
        JsonValueKind.False => "no",
        _ => value.ToString(),
    };

    /// <summary>How a training went, of what, and where.</summary>
    internal static SettingsGroup Of(TrainingRecord record) => new("Run",
    [
        ("base", record.Base),
        ("parent", record.Parent ?? "none"),
        ("device", record.Device),
        ("started", Time(record.Started)),
        ("finished", Time(record.Finished)),
        ("end", record.Result.End.ToString()),
        ("steps", Numbers.Count(record.Result.Steps)),
        ("keptStep", Numbers.Count(record.Result.KeptStep)),
        ("finalLoss", Numbers.Three(record.Result.FinalLoss)),
        ("time", Numbers.Duration(record.Result.Seconds)),
        ("reviewsPerSecond", Numbers.Short(Math.Round(record.Result.ReviewsPerSecond, 1))),
        ("tokensPerSecond", Numbers.Count((long)record.Result.TokensPerSecond)),
        ("paddingShare", Numbers.Percent(record.Result.PaddingShare)),
    ]);

    private static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture);
}
