using System.CommandLine;
using ServerlessBert.Cli.HuggingFace;
using ServerlessBert.Cli.Input;
using ServerlessBert.Modeling.Recipes;

namespace ServerlessBert.Cli.Options;

/// <summary>
/// What <c>sbert train</c> and <c>sbert pretrain</c> start from: a checkpoint folder, or fresh weights and a vocabulary of their
/// own.
/// </summary>
internal sealed class StartOptions
{
    private readonly Option<string?> baseFolder = new("--base")
    {
        Description = $"What to start from: a checkpoint folder, or one of {NamedBases.Names}, which are fetched once"
            + " (train --queue: current, or version:<version>).",
    };

    private readonly BoundOptions<TrainingStart.FromScratch> scratch = new(new TrainingStart.FromScratch());

    /// <summary>What only a start from random weights on this machine can have: the job's presets have their own.</summary>
    public Option[] Local => scratch.Local;

    public void AddTo(Command command)
    {
        command.Add(baseFolder);
        foreach (Option option in scratch.All) command.Add(option);
        command.CannotBeCombined(baseFolder, scratch.All, "a checkpoint has its own shape and vocabulary");
    }

    /// <summary>The start that was asked for; a base with a name is not fetched yet.</summary>
    /// <exception cref="UsageException">There is no such folder and no base of that name.</exception>
    public TrainingStart Asked(ParseResult parsed)
    {
        if (parsed.GetValue(baseFolder) is not { } folder) return scratch.Over(new TrainingStart.FromScratch(), parsed);
        if (Directory.Exists(folder) || NamedBases.Find(folder) is not null) return new TrainingStart.FromFolder(folder);
        throw new UsageException(
            $"Folder not found: {folder}; --base names a checkpoint folder (sbert models pull NAME --out FOLDER fetches one)"
            + $" or one of {NamedBases.Names}, and --preset starts without one.");
    }

    /// <summary>The start with its files on this machine.</summary>
    /// <exception cref="ImportException">A base with a name cannot be fetched.</exception>
    public static async Task<TrainingStart> FetchedAsync(TrainingStart asked, CancellationToken cancellationToken) =>
        asked is TrainingStart.FromFolder(string folder) && !Directory.Exists(folder) && NamedBases.Find(folder) is { } named
            ? new TrainingStart.FromFolder(await NamedBases.ResolveAsync(named, cancellationToken))
            : asked;

    /// <summary>The start as a request to the training job names it, and its vocabulary's size; null for the job's own.</summary>
    public (string? Base, int? VocabularySize) Requested(ParseResult parsed)
    {
        TrainingStart.FromScratch fresh = scratch.Over(new TrainingStart.FromScratch(), parsed);
        bool Has(string property) => scratch.Of(property).Any(parsed.IsGiven);
        string? from = Has(nameof(fresh.Preset)) ? $"preset:{fresh.Preset}" : parsed.GetValue(baseFolder);
        return (from, Has(nameof(fresh.VocabularySize)) ? fresh.VocabularySize : null);
    }
}
