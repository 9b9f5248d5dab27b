using System.Text.Json;
using System.Text.Json.Serialization;
using ServerlessBert.Modeling.Evaluation;
using ServerlessBert.Modeling.Training;
using TorchSharp;
using TorchSharp.Modules;

namespace ServerlessBert.Modeling.Reports;

/// <summary>
/// Writes down how a training goes, as it goes: a JSON Lines file that is whole up to the last logged step whenever the
/// process ends, and TensorBoard's events. Everything it is told it passes on.
/// </summary>
public sealed class TrainingLog : IProgress<TrainingProgress>, IDisposable
{
    /// <summary>The file's name in a checkpoint folder.</summary>
    public const string FileName = "training-log.jsonl";

    /// <summary>The name of the folder with TensorBoard's events in a checkpoint folder.</summary>
    public const string TensorBoardFolderName = TensorBoardEvents.FolderName;

    private static readonly JsonSerializerOptions Json =
        new(JsonSerializerDefaults.Web) { NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals };

    private readonly string folder;
    private readonly IProgress<TrainingProgress>? next;
    private readonly List<LoggedStep> steps = [];
    private readonly List<LoggedEvaluation> evaluations = [];
    private StreamWriter? lines;
    private TensorBoardEvents? events;

    /// <summary>Begins a log; nothing is written before the first report.</summary>
    /// <param name="folder">The checkpoint folder; made where missing.</param>
    /// <param name="next">Told of everything too.</param>
    public TrainingLog(string folder, IProgress<TrainingProgress>? next = null) => (this.folder, this.next) = (folder, next);

    /// <summary>What was logged so far; of a training that was resumed, the steps before that too.</summary>
    public LoggedTraining Logged => new([.. steps], [.. evaluations]);

    /// <summary>Logs an evaluation, or a step that belongs into a log.</summary>
    public void Report(TrainingProgress value)
    {
        next?.Report(value);
        if (lines is null) Begin(value.Step);
        if (value.Evaluation is null && !value.IsLogged) return;
        if (value.Evaluation is { } metrics) Write(
            evaluations, new LoggedEvaluation(value.Step, value.Epoch, value.Loss, value.Elapsed.TotalSeconds, metrics), events!.Add);
        else Write(steps,
            new LoggedStep(value.Step, value.Epoch, value.Loss, value.LearningRate, value.GradientNorm, value.Tokens, value.PaddedTokens,
            value.Elapsed.TotalSeconds), events!.Add);
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => lines?.Dispose();

    private void Write<T>(List<T> all, T entry, Action<T> toTensorBoard)
    {
        all.Add(entry);
        lines!.WriteLine(JsonSerializer.Serialize(entry, Json));
        toTensorBoard(entry);
    }

    /// <summary>
    /// A training that is resumed goes on in the log that it left: what lies before this step is kept, what it does again is not.
    /// </summary>
    private void Begin(int step)
    {
        string path = Path.Combine(folder, FileName);
        Directory.CreateDirectory(folder);
        string[] kept = step > 1 && File.Exists(path) ? [.. File.ReadLines(path).Where(line => IsKept(line, step))] : [];
        File.WriteAllLines(path, kept);
        lines = new StreamWriter(path, append: true) { AutoFlush = true };
        events = new TensorBoardEvents(folder, goesOn: kept.Length > 0);
    }

    private bool IsKept(string line, int before)
    {
        try
        {
            bool isEvaluation = line.Contains("\"evaluation\":", StringComparison.Ordinal);
            if (isEvaluation && JsonSerializer.Deserialize<LoggedEvaluation>(line, Json) is { } evaluation
                && evaluation.Step < before) evaluations.Add(evaluation);
            else if (!isEvaluation && JsonSerializer.Deserialize<LoggedStep>(line, Json) is { } step && step.Step < before) steps.Add(step);
            else return false;
            return true;
        }
        catch (JsonException)
        {
            return false; // half a line, from a process that was killed
        }
    }
}

/// <summary>What a training logged.</summary>
/// <param name="Steps">Steps, in order.</param>
/// <param name="Evaluations">Evaluations, in order.</param>
public sealed record LoggedTraining(IReadOnlyList<LoggedStep> Steps, IReadOnlyList<LoggedEvaluation> Evaluations)
{
    /// <summary>Nothing.</summary>
    public static LoggedTraining None { get; } = new([], []);
}

/// <summary>A logged optimizer step: a line of the training log.</summary>
/// <param name="Step">Steps done.</param>
/// <param name="Epoch">Passes done, as a fraction.</param>
/// <param name="Loss">Its loss, in nats.</param>
/// <param name="LearningRate">Its learning rate.</param>
/// <param name="GradientNorm">Its gradient's norm before clipping.</param>
/// <param name="Tokens">Real tokens since the start.</param>
/// <param name="PaddedTokens">Tokens since the start, padding included.</param>
/// <param name="Seconds">Time since the start.</param>
public sealed record LoggedStep(
    int Step, double Epoch, double Loss, double LearningRate, double GradientNorm, long Tokens, long PaddedTokens, double Seconds);

/// <summary>A logged evaluation: a line of the training log.</summary>
/// <param name="Step">The step after which it was.</param>
/// <param name="Epoch">Passes done, as a fraction.</param>
/// <param name="TrainingLoss">Mean loss of the last steps before it, in nats.</param>
/// <param name="Seconds">Time since the start.</param>
/// <param name="Evaluation">The metrics on held-out rows.</param>
public sealed record LoggedEvaluation(int Step, double Epoch, double TrainingLoss, double Seconds, EvaluationMetrics Evaluation);

/// <summary>A training's curves as TensorBoard shows them: <c>tensorboard --logdir FOLDER</c>.</summary>
internal sealed class TensorBoardEvents
{
    /// <summary>The name of the events' folder in a checkpoint folder.</summary>
    public const string FolderName = "tensorboard";

    private readonly SummaryWriter writer;

    /// <summary>Begins a file of events.</summary>
    /// <param name="folder">The checkpoint folder.</param>
    /// <param name="goesOn">Whether events of an earlier piece of the same training stay beside it.</param>
    public TensorBoardEvents(string folder, bool goesOn)
    {
        string events = Path.Combine(folder, FolderName);
        if (!goesOn && Directory.Exists(events))
        {
            foreach (string file in Directory.GetFiles(events, "events.out.tfevents.*")) File.Delete(file);
        }
        writer = torch.utils.tensorboard.SummaryWriter(events, createRunName: false);
    }

    /// <summary>Adds a step.</summary>
    public void Add(LoggedStep step)
    {
        Add("train/loss", step.Loss, step.Step);
        Add("train/learning_rate", step.LearningRate, step.Step);
        if (step.GradientNorm > 0) Add("train/gradient_norm", step.GradientNorm, step.Step);
    }

    /// <summary>Adds an evaluation.</summary>
    public void Add(LoggedEvaluation evaluation)
    {
        EvaluationMetrics metrics = evaluation.Evaluation;
        Add("evaluation/loss", metrics.Loss, evaluation.Step);
        Add("evaluation/accuracy", metrics.Accuracy, evaluation.Step);
        Add("evaluation/macro_f1", metrics.MacroF1, evaluation.Step);
        Add("evaluation/mean_absolute_error", metrics.MeanAbsoluteError, evaluation.Step);
        Add("evaluation/within_one", metrics.WithinOne, evaluation.Step);
        Add("evaluation/calibration_error", metrics.CalibrationError, evaluation.Step);
    }

    private void Add(string tag, double value, int step) => writer.add_scalar(tag, (float)value, step);
}
