using ServerlessBert.Cli.Output;
using ServerlessBert.Modeling.Tokenization;
using Spectre.Console;

namespace ServerlessBert.Cli.HuggingFace;

/// <summary>A pull whose refusals are behind it: what there is, what is missing, and the fetching of it.</summary>
internal sealed class ModelPull
{
    private readonly HubClient hub;
    private readonly HubRevision revision;
    private readonly string folder;
    private readonly List<HubFile> files, weights;

    private ModelPull(
        HubClient hub, HubRevision revision, string folder, List<HubFile> texts, List<HubFile> weights, IReadOnlyList<HubFile> missing)
    {
        (this.hub, this.revision, this.folder, files, this.weights, Missing) =
            (hub, revision, folder, [.. texts, .. weights], weights, missing);
    }

    /// <summary>What is to be fetched, in this order: the weights last.</summary>
    public IReadOnlyList<HubFile> Missing { get; }

    /// <summary>Asks the hub for everything but the bytes, and refuses what would fail; writes nothing.</summary>
    /// <param name="hub">The hub.</param>
    /// <param name="model">Which model.</param>
    /// <param name="revisionName">Its branch, tag or commit.</param>
    /// <param name="folder">Where it goes; need not exist.</param>
    /// <param name="overwrite">Whether other weights that are there may be replaced.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="HubException">The model, the folder or the disk will not do; the message says why.</exception>
    public static async Task<ModelPull> PrepareAsync(
        HubClient hub, ModelName model, string revisionName, string folder, bool overwrite, CancellationToken cancellationToken)
    {
        HubRevision revision = await hub.ResolveAsync(model, revisionName, cancellationToken);
        ModelFiles chosen = await ModelFiles.ChooseAsync(hub, revision, cancellationToken);
        RefuseToMix(folder, model, chosen);
        List<HubFile> texts = await DescribeAsync(chosen.Texts), weights = await DescribeAsync(chosen.Weights), missing = [];
        foreach (HubFile file in texts.Concat(weights))
            if (!await FileDigest.MatchesAsync(Path.Combine(folder, file.Name), file, cancellationToken)) missing.Add(file);
        if (!overwrite) RefuseToReplace(folder, model, weights.Intersect(missing));
        DiskSpace.Require(folder, missing.Sum(file => Remaining(folder, file)));
        return new ModelPull(hub, revision, folder, texts, weights, missing);

        async Task<List<HubFile>> DescribeAsync(IReadOnlyList<string> names)
        {
            var described = new List<HubFile>(names.Count);
            foreach (string name in names) described.Add(await hub.DescribeAsync(revision, name, cancellationToken));
            return described;
        }
    }

    /// <summary>Fetches what is missing.</summary>
    /// <param name="follow">For a file, who is told of its bytes so far.</param>
    /// <param name="cancellationToken">Stops it; what came is kept for the next time.</param>
    /// <exception cref="HubException">A file cannot be fetched, or came damaged.</exception>
    /// <exception cref="InvalidDataException">The tokenizer's files cannot be used; the weights were not fetched.</exception>
    public async Task<PulledModel> FetchAsync(Func<HubFile, Action<long>> follow, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(folder);
        foreach (HubFile file in Missing.Except(weights)) await FetchAsync(file);
        BertTokenizer.FromFolder(folder); // some kilobytes tell whether the hundreds of megabytes are of use
        foreach (HubFile file in Missing.Intersect(weights)) await FetchAsync(file);
        return new PulledModel(revision.Model.ToString(), revision.Revision, revision.Commit, folder,
            [.. files.Select(file => new PulledFile(file.Name, new FileInfo(PathOf(file)).Length, file.Sha256, Missing.Contains(file)))]);

        Task FetchAsync(HubFile file) => new FileDownload(hub, revision, file, PathOf(file), follow(file)).RunAsync(cancellationToken);
    }

    private string PathOf(HubFile file) => Path.Combine(folder, file.Name);

    private static long Remaining(string folder, HubFile file) =>
        file.Size is { } size ? size - (new PartialFile(Path.Combine(folder, file.Name)).Rest(file)?.From ?? 0) : 0;

    // A loader that finds vocab.txt of one model beside config.json of another computes nonsense.
    private static void RefuseToMix(string folder, ModelName model, ModelFiles chosen)
    {
        string[] foreign =
            [.. ModelFiles.Known.Except(chosen.Texts).Except(chosen.Weights).Where(name => File.Exists(Path.Combine(folder, name)))];
        if (foreign.Length > 0)
            throw new HubException(
                $"{folder} holds {string.Join(", ", foreign)}, which {model} does not have, so two models would mix; give another "
                    + $"folder with --out, or delete what is there.");
    }

    private static void RefuseToReplace(string folder, ModelName model, IEnumerable<HubFile> weights)
    {
        if (weights.FirstOrDefault(file => File.Exists(Path.Combine(folder, file.Name))) is { } other)
            throw new HubException(
                $"{Path.Combine(folder, other.Name)} holds other weights than {model} has; give another folder with --out, or "
                    + $"replace them with --overwrite.");
    }
}

/// <summary>A model that is here, whole.</summary>
/// <param name="Name">Its name on the hub.</param>
/// <param name="Revision">The revision that was asked for.</param>
/// <param name="Commit">The commit that it was.</param>
/// <param name="Folder">The checkpoint folder.</param>
/// <param name="Files">Its files.</param>
internal sealed record PulledModel(string Name, string Revision, string Commit, string Folder, IReadOnlyList<PulledFile> Files);

/// <summary>A file of it.</summary>
/// <param name="Name">Its name in the folder.</param>
/// <param name="Bytes">Its length.</param>
/// <param name="Sha256">The hash that it was checked against; none where the hub gives none.</param>
/// <param name="Fetched">Whether it came now; else it was here.</param>
internal sealed record PulledFile(string Name, long Bytes, string? Sha256, bool Fetched);

/// <summary>Shows a pull on standard error: a bar a file where a person watches, else a line.</summary>
internal static class PullProgress
{
    /// <summary>A note, which a bar that is drawn meanwhile makes room for.</summary>
    public static void Log(string note)
    {
        if (Terminal.IsWatched) Terminal.Errors.WriteLine(note);
        else Terminal.Log(note);
    }

    /// <summary>Fetches what is missing, and shows it.</summary>
    public static Task<PulledModel> FetchAsync(ModelPull pull, CancellationToken cancellationToken) =>
        Terminal.IsWatched
            && pull.Missing.Count > 0 ? WithBarsAsync(pull, cancellationToken) : pull.FetchAsync(WithLine, cancellationToken);

    private static Action<long> WithLine(HubFile file)
    {
        Terminal.Log($"fetching {file.Name}{(file.Size is { } size ? $" ({size:N0} bytes)" : "")}");
        return _ => { };
    }

    private static Task<PulledModel> WithBarsAsync(ModelPull pull, CancellationToken cancellationToken) => Terminal.Errors.Progress()
        .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new DownloadedColumn(),
            new TransferSpeedColumn(), new RemainingTimeColumn())
        .StartAsync(context =>
        {
            // All at once: what is still to come is seen from the start.
            Dictionary<HubFile, ProgressTask> tasks =
                pull.Missing.ToDictionary(
                file => file, file => context.AddTask(Markup.Escape(file.Name), autoStart: false, maxValue: Math.Max(1, file.Size ?? 1)));
            return pull.FetchAsync(file =>
            {
                ProgressTask task = tasks[file];
                task.IsIndeterminate = file.Size is null;
                task.StartTask();
                return bytes => task.Value = bytes;
            }, cancellationToken);
        });
}
