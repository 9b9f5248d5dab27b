using ServerlessBert.Pipeline.Models;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Testing;

namespace ServerlessBert.Pipeline.Tests.Models;

[Collection(AzuriteCollection.Name)]
public sealed class ModelPruningTests(AzuriteFixture azurite) : IAsyncLifetime
{
    private static readonly ModelPruningOptions KeepOne = new() { Keep = 1 };

    private readonly string _folder = Directory.CreateTempSubdirectory("pruning-").FullName;
    private readonly TestClock _clock = new();
    private PipelineStorage _storage = null!;
    private ModelRegistry _registry = null!;
    private ModelPruning _pruning = null!;
    private int _published;

    public async Task InitializeAsync()
    {
        _storage = await azurite.NewStorageAsync();
        _registry = new ModelRegistry(_storage, _clock);
        _pruning = new ModelPruning(_storage, _registry, _clock);
    }

    public Task DisposeAsync()
    {
        Directory.Delete(_folder, recursive: true);
        return Task.CompletedTask;
    }

    [Fact]
    public async Task The_live_version_its_parent_the_previous_one_the_shadow_and_the_newest_stay()
    {
        string stray = await PublishAsync(), parent = await PublishAsync(), previous = await PublishAsync(),
            rolledBack = await PublishAsync();
        string live = await PublishAsync(parent), shadow = await PublishAsync(), old = await PublishAsync(), newest = await PublishAsync();
        foreach (string version in new[] { stray, previous, rolledBack }) await _registry.PromoteAsync(version, "it was good");
        await _registry.RollbackAsync();
        await _registry.PromoteAsync(live, "it is better");
        await _registry.SetShadowAsync(shadow, 0.5);
        _clock.Advance(TimeSpan.FromDays(2));

        var decisions = await _pruning.PruneAsync(KeepOne);

        Assert.Equal(new[] { parent, previous, live, shadow, newest }.Order(),
            decisions.Where(decision => !decision.IsPruned).Select(decision => decision.Version).Order());
        Assert.Equal(new[] { stray, rolledBack, old }.Order(),
            decisions.Where(decision => decision.IsPruned).Select(decision => decision.Version).Order());
        Assert.All(decisions, decision => Assert.NotEmpty(decision.Reason));
        Assert.Equal(previous, (await _registry.RollbackAsync()).Version);
    }

    [Fact]
    public async Task A_dry_run_says_the_same_and_changes_nothing()
    {
        string old = await PublishAsync();
        await _registry.PromoteAsync(await PublishAsync(), "first");
        string before = (await BlobOf(ModelPointer.FileName).DownloadContentAsync()).Value.Content.ToString();

        var decisions = await _pruning.PruneAsync(KeepOne, isDryRun: true);

        Assert.Equal(old, Assert.Single(decisions, decision => decision.IsPruned).Version);
        Assert.Equal(before, (await BlobOf(ModelPointer.FileName).DownloadContentAsync()).Value.Content.ToString());
        Assert.Empty(await _registry.VerifyAsync(old));
    }

    [Fact]
    public async Task A_pruned_version_is_gone_at_once_and_its_files_a_day_later_so_that_a_download_under_way_ends_whole()
    {
        string old = await PublishAsync();
        await _registry.PromoteAsync(await PublishAsync(), "first");
        var manifest = await _registry.ReadManifestAsync(old); // a host has just read it

        await _pruning.PruneAsync(KeepOne);

        await Assert.ThrowsAsync<ModelUnavailableException>(() => _registry.ReadManifestAsync(old));
        await _registry.DownloadAsync(manifest, Path.Combine(_folder, "download"));
        Assert.Equal(ModelRole.Pruned, Assert.Single(await _registry.ListAsync(), model => model.Version == old).Role);

        _clock.Advance(TimeSpan.FromHours(23));
        await _pruning.PruneAsync(KeepOne);
        Assert.Equal(2, (await _registry.ListAsync()).Count);
        _clock.Advance(TimeSpan.FromHours(2));
        await _pruning.PruneAsync(KeepOne);
        Assert.Single(await _registry.ListAsync());
        Assert.Empty((await _registry.CurrentAsync())!.Pruned);
    }

    [Fact]
    public async Task A_version_that_was_live_a_moment_ago_stays_for_the_files_that_it_answers()
    {
        string first = await PublishAsync(), second = await PublishAsync(), third = await PublishAsync();
        foreach (string version in new[] { first, second, third }) await _registry.PromoteAsync(version, "newer");

        Assert.DoesNotContain(await _pruning.PruneAsync(KeepOne), decision => decision.IsPruned);

        _clock.Advance(TimeSpan.FromDays(2));
        Assert.Equal(first, Assert.Single(await _pruning.PruneAsync(KeepOne), decision => decision.IsPruned).Version);
    }

    [Fact]
    public async Task An_upload_that_was_interrupted_goes_after_a_day_and_one_under_way_stays()
    {
        string cut = await PublishAsync();
        await BlobOf($"{cut}/{ModelManifest.FileName}").DeleteAsync();
        await _registry.PromoteAsync(await PublishAsync(), "first");

        Assert.DoesNotContain(await _pruning.PruneAsync(KeepOne), decision => decision.IsPruned);
        _clock.Advance(TimeSpan.FromDays(2));
        Assert.Contains("interrupted", Assert.Single(await _pruning.PruneAsync(KeepOne), decision => decision.IsPruned).Reason);
    }

    [Fact]
    public async Task Without_a_live_model_nothing_is_pruned()
    {
        await PublishAsync();
        Assert.Contains(
            "none is pruned", (await Assert.ThrowsAsync<ModelUnavailableException>(() => _pruning.PruneAsync(KeepOne))).Message);
        Assert.Single(await _registry.ListAsync());
    }

    [Fact]
    public async Task Promotions_and_prunings_at_once_never_leave_the_pointer_at_a_pruned_version()
    {
        string[] versions = new string[8];
        for (int number = 0; number < versions.Length; number++) versions[number] = await PublishAsync();
        await _registry.PromoteAsync(versions[0], "first");
        var none = new ModelPruningOptions { Keep = 0, Grace = TimeSpan.Zero };

        await Task.WhenAll(
            Task.WhenAll(Enumerable.Range(0, 4).Select(_ => _pruning.PruneAsync(none))),
            Task.WhenAll(versions[1..].Select(async version =>
            {
                try { await _registry.PromoteAsync(version, "race"); }
                catch (ModelUnavailableException) { /* pruned first: it is not live then */ }
            })));

        Assert.Empty(await _registry.VerifyAsync((await _registry.CurrentAsync())!.Version));
    }

    private async Task<string> PublishAsync(string? parent = null)
    {
        _clock.Advance(TimeSpan.FromSeconds(1));
        string folder = Directory.CreateDirectory(Path.Combine(_folder, Path.GetRandomFileName())).FullName;
        File.WriteAllText(Path.Combine(folder, "model.safetensors"), $"weights {_published++}");
        File.WriteAllText(Path.Combine(folder, "config.json"), "{}");
        File.WriteAllText(Path.Combine(folder, "vocab.txt"), "[PAD]");
        if (parent is not null) File.WriteAllText(Path.Combine(folder, "training.json"), $$"""{"parent":"{{parent}}"}""");
        return (await _registry.PublishAsync(folder)).Version;
    }

    private Azure.Storage.Blobs.BlobClient BlobOf(string name) => _storage.Container(StorageNames.Models).GetBlobClient(name);
}
