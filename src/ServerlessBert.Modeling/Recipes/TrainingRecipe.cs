using ServerlessBert.Modeling.Checkpoints;
using ServerlessBert.Modeling.Evaluation;
using ServerlessBert.Modeling.Inference;
using ServerlessBert.Modeling.Pretraining;
using ServerlessBert.Modeling.Reports;
using ServerlessBert.Modeling.Training;
using ServerlessBert.Modeling.Training.Checkpointing;
using TorchSharp;

namespace ServerlessBert.Modeling.Recipes;

/// <summary>A training from its start to a checkpoint folder with its record: what <c>sbert train</c> and the job both do.</summary>
/// <param name="start">What it starts from.</param>
/// <param name="options">Every setting.</param>
/// <param name="device">Where it computes.</param>
/// <param name="sources">The files that the rows came from, for the record.</param>
/// <param name="parent">The registry's version that it starts from, for the record.</param>
public sealed class TrainingRecipe(
    TrainingStart start, TrainingOptions options, torch.Device device, IReadOnlyList<TrainingSource> sources, string? parent = null)
{
    /// <summary>Checkpoint folders of models whose opinion of the rows is learned too (<see cref="Distillation"/>).</summary>
    public IReadOnlyList<string> Teachers { get; init; } = [];

    /// <summary>The settings of a pretraining on the texts to learn from, before anything else; null for none.</summary>
    public PretrainingOptions? Pretraining { get; init; }

    /// <summary>
    /// Fine-tunes a checkpoint folder on labelled rows, a tenth of them held out to measure on, and saves the result: all
    /// defaults, on the CPU, or on a GPU where there is one.
    /// </summary>
    /// <param name="start">A folder as Hugging Face saves one.</param>
    /// <param name="rows">Rows with their labels from 0.</param>
    /// <param name="folder">Where the trained checkpoint goes, with its record, log and report.</param>
    /// <param name="options">Null takes the defaults.</param>
    /// <param name="progress">Told after every step and every evaluation.</param>
    /// <exception cref="CheckpointException">The folder is not a sound checkpoint.</exception>
    /// <exception cref="TrainingException">See <see cref="FineTuner.Train"/>.</exception>
    public static TrainingRecord FineTune(
        string start, IReadOnlyList<LabelledReview> rows, string folder, TrainingOptions? options = null,
            IProgress<TrainingProgress>? progress = null)
    {
        options ??= new TrainingOptions();
        return new TrainingRecipe(new TrainingStart.FromFolder(start), options, ComputeDevice.Named("auto"), [])
            .Run(StratifiedSplit.ByTextHash(rows, 0.1, options.Seed), folder, progress ?? new Progress<TrainingProgress>(), _ => { },
                CancellationToken.None);
    }

    /// <summary>Trains and saves.</summary>
    /// <param name="split">Rows to learn from and to measure on.</param>
    /// <param name="folder">Where the checkpoint, training.json, metrics.json, the log and the report go; made where missing.</param>
    /// <param name="progress">Told after every step and every evaluation.</param>
    /// <param name="remark">Told what a reader of the log should know.</param>
    /// <param name="cancellationToken">Stops after the present step; what was learned is saved.</param>
    /// <param name="checkpoints">Where it goes on from after an interruption, or null; they are deleted once it has come to its
    /// end and the model is saved.</param>
    /// <exception cref="TrainingException">See <see cref="FineTuner.Train"/>.</exception>
    public TrainingRecord Run(
        StratifiedSplit split, string folder, IProgress<TrainingProgress> progress, Action<string> remark,
            CancellationToken cancellationToken, TrainingCheckpoints? checkpoints = null)
    {
        split = split.Limited(options);
        // Said here, before a vocabulary is made of no text.
        if (split.Train.Count == 0) throw new TrainingException("No labelled review is left to learn from.");
        IReadOnlyList<LabelledReview> train = Teachers.Count == 0 ? split.Train
            : Distillation.Teach(
                Teachers, Distillation.Views(split.Train, options.AugmentedViews, options.Seed), remark, cancellationToken);
        DateTimeOffset started = DateTimeOffset.UtcNow;
        PretrainedStart? pretrained = Pretraining is null ? null : new PretrainedStart(start, Pretraining, device, folder);
        TrainingStart opened = pretrained?.Of([.. split.Train.Select(row => row.Text)], progress, remark, cancellationToken) ?? start;
        using Checkpoint checkpoint = opened.Open(split.Train, options.Seed, cancellationToken);
        foreach (string note in checkpoint.Notes) remark(note);
        remark($"{Describe()}: {checkpoint.Config.NumHiddenLayers} layers of {checkpoint.Config.HiddenSize}, "
            + $"{checkpoint.Tokenizer.VocabularySize:N0} word pieces, on {device.type.ToString().ToLowerInvariant()}");

        using var log = new TrainingLog(folder, progress);
        TrainingResult result = new FineTuner(checkpoint, options with { MaxRows = null }, device)
            .Train(train, split.Evaluation, log, checkpoints, cancellationToken);
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
        File.WriteAllText(
            Path.Combine(folder, TrainingReport.FileName),
            TrainingReport.Html(TrainingReportContent.Of(record, log.Logged, split, checkpoint.Config)));
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

/// <summary>What the trained model says of the held-out rows, kept beside it so that later predictions can be compared with it.</summary>
internal static class EvaluationBaseline
{
    // Enough for a mix of five ratings to be known to two points, and under a minute of bert-base on a CPU.
    private const int MostRows = 1000;

    /// <summary>Classifies held-out rows as the hosts will, and writes baseline.json; nothing where there are none.</summary>
    /// <param name="heldOut">The rows; of many, some spread evenly over them are taken.</param>
    /// <param name="folder">The saved checkpoint.</param>
    public static void Save(IReadOnlyList<LabelledReview> heldOut, string folder)
    {
        int rows = Math.Min(heldOut.Count, MostRows);
        if (rows == 0) return;
        using var classifier = ReviewClassifier.Load(folder, new InferenceOptions { Dtype = InferenceDtype.Float32 });
        string[] texts = [.. Enumerable.Range(0, rows).Select(row => heldOut[(int)((long)row * heldOut.Count / rows)].Text)];
        PredictionBaseline.Of(classifier.Classify(texts)).Save(folder);
    }
}

/// <summary>Where a training computes.</summary>
public static class ComputeDevice
{
    /// <summary>The device of a name.</summary>
    /// <param name="name">auto takes CUDA where there is a device; cpu; cuda.</param>
    /// <exception cref="TrainingException">cuda was asked for and there is none.</exception>
    public static torch.Device Named(string name)
    {
        if (name == "cpu") return torch.CPU;
        bool hasCuda = torch.cuda.is_available();
        if (name == "cuda" && !hasCuda)
            throw new TrainingException(
                "There is no CUDA device here, or this build has the CPU's libtorch only; use --device cpu, or the trainer's CUDA image.");
        return hasCuda ? torch.CUDA : torch.CPU;
    }
}
