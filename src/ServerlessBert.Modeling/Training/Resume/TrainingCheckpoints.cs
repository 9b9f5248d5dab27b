namespace ServerlessBert.Modeling;

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
        int.TryParse(Path.GetFileName(folder).AsSpan(Prefix.Length), System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out int step) ? step : null;
}
