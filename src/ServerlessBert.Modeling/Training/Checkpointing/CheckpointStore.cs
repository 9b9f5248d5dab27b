using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Serialization;
using ServerlessBert.Modeling.Checkpoints;

namespace ServerlessBert.Modeling.Training.Checkpointing;

/// <summary>The checkpoints of one training on disk.</summary>
/// <param name="settings">Where and how often.</param>
/// <param name="identity">The training.</param>
internal sealed class CheckpointStore(TrainingCheckpoints settings, TrainingIdentity identity)
{
    private const string StateFile = "state.json";
    private const string Partial = ".partial";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    private long lastSaved = Stopwatch.GetTimestamp();

    /// <summary>The newest checkpoint of this training, or null.</summary>
    public string? Newest { get; private set; }

    /// <summary>The training that these are checkpoints of.</summary>
    public TrainingIdentity Identity => identity;

    /// <summary>
    /// Reads the newest sound checkpoint of this training into its tensors; says from which it goes on, and why not from others.
    /// </summary>
    /// <param name="tensors">The tensors to read into.</param>
    /// <param name="makeBest">Makes tensors for the best weights, or takes them away, by whether a checkpoint has some.</param>
    /// <returns>Its state, or null where there is none to go on from.</returns>
    public SavedTraining? Resume(Func<CheckpointTensors> tensors, Action<bool> makeBest)
    {
        foreach (string folder in settings.Folders())
        {
            SavedTraining? saved = ReadState(folder, out string? reason);
            reason ??= saved!.Identity.DifferenceFrom(identity) is { } difference ? $"it belongs to a training with {difference}" : null;
            if (reason is null)
            {
                makeBest(CheckpointTensors.HasBest(folder));
                reason = TryRead(folder, tensors());
            }
            if (reason is not null)
            {
                settings.Remark?.Invoke($"{folder} is not gone on from: {reason}");
                continue;
            }
            Newest = folder;
            settings.Remark?.Invoke($"going on after step {saved!.State.Step:N0} of {folder}{ThreadsRemark(saved)}");
            return saved;
        }
        return null;
    }

    /// <summary>Saves a checkpoint where one is due after a step.</summary>
    /// <exception cref="TrainingException">It cannot be written; the last one stays.</exception>
    public void SaveIfDue(int step, Func<SavedTraining> state, Func<CheckpointTensors> tensors)
    {
        bool isDue = (settings.EverySteps is { } steps && step % steps == 0)
            || (settings.Every is { } time && Stopwatch.GetElapsedTime(lastSaved) >= time);
        if (isDue) Save(step, state(), tensors());
    }

    /// <summary>Saves a checkpoint of a step, and deletes this training's older ones beyond those to keep.</summary>
    /// <exception cref="TrainingException">It cannot be written; the last one stays.</exception>
    public void Save(int step, SavedTraining state, CheckpointTensors tensors)
    {
        string folder = settings.FolderOf(step), partial = folder + Partial;
        try
        {
            if (Directory.Exists(partial)) Directory.Delete(partial, recursive: true);
            Directory.CreateDirectory(partial);
            RequireSpace(tensors.Bytes);
            tensors.Write(partial);
            File.WriteAllText(Path.Combine(partial, StateFile), JsonSerializer.Serialize(state, Json));
            if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
            Directory.Move(partial, folder);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            if (Directory.Exists(partial)) Directory.Delete(partial, recursive: true);
            string left = Newest is null ? "there is none before it" : $"{Newest} is the last one";
            throw new TrainingException(
                $"The checkpoint of step {step:N0} cannot be written to {settings.Folder} ({exception.Message.TrimEnd('.')}); "
                    + $"{left}, from which the same command goes on once there is room.", exception);
        }
        (Newest, lastSaved) = (folder, Stopwatch.GetTimestamp());
        DeleteOlder();
        settings.Saved?.Invoke(folder);
    }

    // Before hundreds of megabytes are written, and with a sentence that says how many.
    private void RequireSpace(long bytes)
    {
        long free = new DriveInfo(Path.GetFullPath(settings.Folder)).AvailableFreeSpace;
        if (free < bytes) throw new IOException($"it takes {bytes >> 20:N0} MiB, and {free >> 20:N0} MiB are free");
    }

    private void DeleteOlder()
    {
        var own = settings.Folders().Where(folder => ReadState(folder, out _)?.Identity == identity);
        foreach (string old in own.Skip(settings.Keep)) Directory.Delete(old, recursive: true);
    }

    private static string? TryRead(string folder, CheckpointTensors tensors)
    {
        try
        {
            tensors.Read(folder);
            return null;
        }
        catch (Exception exception) when (exception is IOException or SafetensorsException or UnauthorizedAccessException)
        {
            return exception.Message.TrimEnd('.');
        }
    }

    private static string ThreadsRemark(SavedTraining saved) => saved.Threads == TorchSharp.torch.get_num_threads() ? ""
        : $"; it was made with {saved.Threads} threads and there are {TorchSharp.torch.get_num_threads()} now, so sums may differ "
            + $"in their last digits";

    private static SavedTraining? ReadState(string folder, out string? reason)
    {
        try
        {
            reason = null;
            return JsonSerializer.Deserialize<SavedTraining>(File.ReadAllBytes(Path.Combine(folder, StateFile)), Json)!;
        }
        catch (Exception exception) when (exception is IOException or JsonException or UnauthorizedAccessException)
        {
            reason = $"its {StateFile} cannot be read ({exception.Message.TrimEnd('.')})";
            return null;
        }
    }
}

/// <summary>
/// Where and how often a training puts down what it needs to go on after an interruption, to the same weights as if there had
/// been none. A checkpoint is a folder <c>checkpoint-&lt;step&gt;</c>, which appears whole or not at all.
/// </summary>
/// <param name="Folder">The folder of the checkpoint folders; made where missing.</param>
public sealed record TrainingCheckpoints(string Folder)
{
    /// <summary>Steps between checkpoints, or null.</summary>
    public int? EverySteps { get; init; }

    /// <summary>Time between checkpoints, or null: 10 minutes, which is what an interruption costs at most.</summary>
    public TimeSpan? Every { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>The newest that are kept: 2, one to go on from should the other turn out broken.</summary>
    public int Keep { get; init; } = 2;

    /// <summary>Told the folder of each checkpoint once it is whole.</summary>
    public Action<string>? Saved { get; init; }

    /// <summary>Told, a sentence each, from which checkpoint training goes on, and why it does not from others.</summary>
    public Action<string>? Remark { get; init; }

    /// <summary>Deletes this folder's checkpoints, once the trained model is saved elsewhere.</summary>
    public void Delete()
    {
        foreach (string folder in Folders()) Directory.Delete(folder, recursive: true);
        if (Directory.Exists(Folder) && !Directory.EnumerateFileSystemEntries(Folder).Any()) Directory.Delete(Folder);
    }

    /// <summary>Whole checkpoints, the newest first.</summary>
    internal IReadOnlyList<string> Folders() => !Directory.Exists(Folder) ? [] :
    [
        .. Directory.EnumerateDirectories(Folder, Prefix + "*")
            .Where(folder => StepOf(folder) is not null)
            .OrderByDescending(folder => StepOf(folder)),
    ];

    /// <summary>The folder of a step's checkpoint.</summary>
    internal string FolderOf(int step) => Path.Combine(Folder, Prefix + step.ToString(System.Globalization.CultureInfo.InvariantCulture));

    private const string Prefix = "checkpoint-";

    private static int? StepOf(string folder) =>
        int.TryParse(Path.GetFileName(folder).AsSpan(Prefix.Length), System.Globalization.NumberStyles.None,
            System.Globalization.CultureInfo.InvariantCulture, out int step) ? step : null;
}
