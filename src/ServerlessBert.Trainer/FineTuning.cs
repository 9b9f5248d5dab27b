using ServerlessBert.Modeling;
using TorchSharp;

namespace ServerlessBert.Trainer;

/// <summary>A training from its start to a checkpoint folder with its record: what <c>sbert train</c> and the job both do.</summary>
/// <param name="start">What it starts from.</param>
/// <param name="options">Every setting.</param>
/// <param name="device">Where it computes.</param>
/// <param name="sources">The files that the rows came from, for the record.</param>
/// <param name="parent">The registry's version that it starts from, for the record.</param>
public sealed class FineTuning(TrainingStart start, TrainingOptions options, torch.Device device, IReadOnlyList<TrainingSource> sources, string? parent = null)
{
    /// <summary>Checkpoint folders of models whose opinion of the rows is learned too (<see cref="Modeling.Teachers"/>).</summary>
    public IReadOnlyList<string> Teachers { get; init; } = [];

    /// <summary>The settings of a pretraining on the texts to learn from, before anything else; null for none.</summary>
    public PretrainingOptions? Pretraining { get; init; }

    /// <summary>Trains and saves.</summary>
    /// <param name="split">Rows to learn from and to measure on.</param>
    /// <param name="folder">Where the checkpoint, training.json, metrics.json, the log and the report go; made where missing.</param>
    /// <param name="progress">Told after every step and every evaluation.</param>
    /// <param name="remark">Told what a reader of the log should know.</param>
    /// <param name="cancellationToken">Stops after the present step; what was learned is saved.</param>
    /// <param name="checkpoints">Where it goes on from after an interruption, or null; they are deleted once it has come to its end and the model is saved.</param>
    /// <exception cref="TrainingException">See <see cref="FineTuner.Train"/>.</exception>
    public TrainingRecord Run(
        StratifiedSplit split, string folder, IProgress<TrainingProgress> progress, Action<string> remark, CancellationToken cancellationToken, TrainingCheckpoints? checkpoints = null)
    {
        split = split.Limited(options);
        // Said here, before a vocabulary is made of no text.
        if (split.Train.Count == 0) throw new TrainingException("No labelled review is left to learn from.");
        IReadOnlyList<LabelledReview> train = Teachers.Count == 0 ? split.Train
            : Modeling.Teachers.Teach(Teachers, Modeling.Teachers.Views(split.Train, options.TeacherViews, options.Seed), remark, cancellationToken);
        DateTimeOffset started = DateTimeOffset.UtcNow;
        PretrainedStart? pretrained = Pretraining is null ? null : new PretrainedStart(start, Pretraining, device, folder);
        TrainingStart opened = pretrained?.Of([.. split.Train.Select(row => row.Text)], progress, remark, cancellationToken) ?? start;
        using BertCheckpoint checkpoint = opened.Open(split.Train, options.Seed, cancellationToken);
        foreach (string note in checkpoint.Notes) remark(note);
        remark($"{Describe()}: {checkpoint.Config.NumHiddenLayers} layers of {checkpoint.Config.HiddenSize}, {checkpoint.Tokenizer.VocabularySize:N0} word pieces, on {device.type.ToString().ToLowerInvariant()}");

        using var log = new TrainingLog(folder, progress);
        TrainingResult result = new FineTuner(checkpoint, options with { MaxRows = null }, device).Train(train, split.Evaluation, log, checkpoints, cancellationToken);
        Directory.CreateDirectory(folder);
        checkpoint.Save(folder);
        var record = new TrainingRecord
        {
            Started = started,
            Finished = DateTimeOffset.UtcNow,
            Base = Describe(),
            Parent = parent,
            Teachers = Teachers.Count > 0 ? Teachers : null,
            Pretraining = Pretraining,
            Data = sources,
            TrainRows = split.Train.Count,
            EvaluationRows = split.Evaluation.Count,
            Options = options,
            Result = result,
            Device = device.type.ToString().ToLowerInvariant(),
        };
        record.Save(folder);
        result.Calibration?.Save(folder); // before the baseline, which the hosts' own classifier makes
        if (!result.IsCancelled) EvaluationBaseline.Save(split.Evaluation, folder); // who cancels waits for the end
        File.WriteAllText(Path.Combine(folder, TrainingReport.FileName), TrainingReport.Html(TrainingReportContent.Of(record, log.Logged, split, checkpoint.Config)));
        if (result.IsCancelled) return record;
        checkpoints?.Delete();
        pretrained?.Delete();
        return record;
    }

    private string Describe() => start switch
    {
        TrainingStart.FromScratch fresh => $"preset {fresh.Preset}, from random weights",
        TrainingStart.FromFolder(string path) => parent ?? Path.GetFileName(Path.TrimEndingDirectorySeparator(path)),
        _ => throw new System.Diagnostics.UnreachableException(),
    };
}
