using System.Text.Json;
using System.Text.Json.Serialization;

namespace ServerlessBert.Modeling;

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

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals };

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
        if (value.Evaluation is { } metrics) Write(evaluations, new LoggedEvaluation(value.Step, value.Epoch, value.Loss, value.Elapsed.TotalSeconds, metrics), events!.Add);
        else Write(steps, new LoggedStep(value.Step, value.Epoch, value.Loss, value.LearningRate, value.GradientNorm, value.Tokens, value.PaddedTokens, value.Elapsed.TotalSeconds), events!.Add);
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => lines?.Dispose();

    private void Write<T>(List<T> all, T entry, Action<T> toTensorBoard)
    {
        all.Add(entry);
        lines!.WriteLine(JsonSerializer.Serialize(entry, Json));
        toTensorBoard(entry);
    }

    /// <summary>A training that is resumed goes on in the log that it left: what lies before this step is kept, what it does again is not.</summary>
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
            if (isEvaluation && JsonSerializer.Deserialize<LoggedEvaluation>(line, Json) is { } evaluation && evaluation.Step < before) evaluations.Add(evaluation);
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
