using System.CommandLine;
using ServerlessBert.Cli.HuggingFace;
using ServerlessBert.Cli.Input;
using ServerlessBert.Modeling.Recipes;
using ServerlessBert.Modeling.Tokenization;

namespace ServerlessBert.Cli.Options;

/// <summary>What <c>sbert train</c> and <c>sbert pretrain</c> start from: a checkpoint folder, or fresh weights and a vocabulary of their own.</summary>
internal sealed class StartSettings
{
    private readonly Option<string?> baseFolder = new("--base") { Description = $"What to start from: a checkpoint folder, or one of {NamedBases.Names}, which are fetched once (train --queue: current, or version:<version>)." };
    private readonly Option<string?> preset = new("--preset") { Description = "Start from random weights of this shape, with a vocabulary of its own (mini without --base)." };
    private readonly Option<int> vocabularySize = new("--vocab-size") { Description = "With --preset: most word pieces of the vocabulary.", DefaultValueFactory = _ => 8000 };
    private readonly Option<MergeScore?> merges = new("--vocab-merges") { Description = "With --preset: the pieces that become one, by frequency (the default), or by the likelihood that they gain, which wants a --vocab-min-frequency of 20 or so.", HelpName = "frequency|likelihood" };
    private readonly Option<int?> minimumFrequency = new("--vocab-min-frequency") { Description = "With --preset: how often pieces must stand side by side to become one (2)." };
    private readonly Option<int?> layers = new("--layers") { Description = "With --preset: another number of layers." };
    private readonly Option<double?> initializerRange = new("--initializer-range") { Description = "With --preset: standard deviation of the fresh weights (0.02)." };

    /// <summary>What only a start from random weights here can have: the job's presets have their own.</summary>
    private Option[] LocalOnly => [merges, minimumFrequency, layers, initializerRange];

    public void AddTo(Command command)
    {
        preset.AcceptOnlyFromAmong("tiny", "mini", "small", "base");
        foreach (Option option in LocalOnly.Prepend(vocabularySize).Prepend(preset).Prepend(baseFolder)) command.Add(option);
    }

    /// <summary>The start that was asked for.</summary>
    /// <exception cref="UsageException">Two options contradict each other, one is out of range, or the folder is not there.</exception>
    /// <exception cref="ImportException">A base with a name cannot be fetched.</exception>
    public async Task<TrainingStart> StartAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        Check(parsed);
        if (parsed.GetValue(baseFolder) is not { } folder)
            return new TrainingStart.FromScratch(
                parsed.GetValue(preset) ?? "mini", parsed.GetValue(vocabularySize), parsed.GetValue(layers), parsed.GetValue(initializerRange),
                parsed.GetValue(merges) ?? MergeScore.Frequency, parsed.GetValue(minimumFrequency) ?? 2);
        if (Directory.Exists(folder)) return new TrainingStart.FromFolder(folder);
        return NamedBases.Find(folder) is { } named
            ? new TrainingStart.FromFolder(await NamedBases.ResolveAsync(named, cancellationToken))
            : throw new UsageException($"there is no folder {folder}; --base names a checkpoint folder (sbert models pull NAME --out FOLDER fetches one) or one of {NamedBases.Names}, and --preset starts without one.");
    }

    /// <summary>The start as a request to the training job names it, and its vocabulary's size; null for the job's own.</summary>
    /// <exception cref="UsageException">Two options contradict each other, or the job cannot be told one.</exception>
    public (string? Base, int? VocabularySize) Requested(ParseResult parsed)
    {
        Check(parsed);
        if (LocalOnly.FirstOrDefault(option => IsGiven(parsed, option)) is { } local)
            throw new UsageException($"{local.Name} is for training here; with --queue a preset has its own.");
        return (parsed.GetValue(preset) is { } shape ? $"preset:{shape}" : parsed.GetValue(baseFolder), IsGiven(parsed, vocabularySize) ? parsed.GetValue(vocabularySize) : null);
    }

    private void Check(ParseResult parsed)
    {
        if (parsed.GetValue(baseFolder) is not null && parsed.GetValue(preset) is not null)
            throw new UsageException("give either --base or --preset, not both.");
        if (parsed.GetValue(layers) is <= 0) throw new UsageException("--layers is a number, 1 or more.");
        if (parsed.GetValue(minimumFrequency) is <= 0) throw new UsageException("--vocab-min-frequency is a number, 1 or more.");
        if (parsed.GetValue(initializerRange) is <= 0 or > 1) throw new UsageException("--initializer-range is above 0 and at most 1, such as 0.02.");
    }

    private static bool IsGiven(ParseResult parsed, Option option) => parsed.GetResult(option) is { Implicit: false };
}
