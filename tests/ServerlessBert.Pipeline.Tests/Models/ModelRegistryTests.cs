using ServerlessBert.Pipeline.Models;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Testing;

namespace ServerlessBert.Pipeline.Tests.Models;

[Collection(AzuriteCollection.Name)]
public sealed class ModelRegistryTests(AzuriteFixture azurite) : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("registry-").FullName;
    private readonly TestClock _clock = new();
    private PipelineStorage _storage = null!;
    private ModelRegistry _registry = null!;

    public async Task InitializeAsync()
    {
        _storage = await azurite.NewStorageAsync();
        _registry = new ModelRegistry(_storage, _clock);
    }

    public Task DisposeAsync()
    {
        Directory.Delete(_folder, recursive: true);
        return Task.CompletedTask;
    }

    [Fact]
    public async Task A_published_folder_comes_back_byte_for_byte()
    {
        string folder = NewFolder("weights");
        var manifest = await _registry.PublishAsync(folder);

        string copy = Path.Combine(_folder, "copy");
        await _registry.DownloadAsync(manifest.Version, copy);

        foreach (string path in Directory.EnumerateFiles(folder).Where(path => !path.EndsWith(".bin", StringComparison.Ordinal)))
            Assert.Equal(File.ReadAllBytes(path), File.ReadAllBytes(Path.Combine(copy, Path.GetFileName(path))));
        Assert.Empty(await _registry.VerifyAsync(manifest.Version));
        Assert.True(ModelVersion.IsValid(manifest.Version));
    }

    [Fact]
    public async Task A_pickle_beside_the_weights_is_not_published()
    {
        string folder = NewFolder("weights");
        File.WriteAllText(Path.Combine(folder, "pytorch_model.bin"), "pickle");

        Assert.DoesNotContain((await _registry.PublishAsync(folder)).Files, file => file.Name.EndsWith(".bin", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("model.safetensors")]
    [InlineData("config.json")]
    [InlineData("vocab.txt")]
    public async Task A_folder_without_a_needed_file_is_not_published(string file)
    {
        string folder = NewFolder("weights");
        File.Delete(Path.Combine(folder, file));

        Assert.Contains(file, (await Assert.ThrowsAsync<ModelUnavailableException>(() => _registry.PublishAsync(folder))).Message);
        Assert.Empty(await _registry.ListAsync());
    }

    [Fact]
    public async Task Publishing_again_with_the_same_time_completes_what_was_cut_off_and_changes_nothing()
    {
        string folder = NewFolder("weights");
        var created = new DateTimeOffset(2026, 11, 22, 10, 15, 0, TimeSpan.Zero);
        var first = await _registry.PublishAsync(folder, created);
        await BlobOf(first.Version, ModelManifest.FileName).DeleteAsync();
        Assert.False(Assert.Single(await _registry.ListAsync()).IsComplete);

        var second = await _registry.PublishAsync(folder, created);

        Assert.StartsWith("20261122T101500Z-", second.Version);
        Assert.Equal((first.Version, first.Digest), (second.Version, second.Digest));
        Assert.True(Assert.Single(await _registry.ListAsync()).IsComplete);
    }

    [Fact]
    public async Task A_version_is_never_overwritten()
    {
        var created = new DateTimeOffset(2026, 11, 22, 10, 15, 0, TimeSpan.Zero);
        string folder = NewFolder("weights");
        var first = await _registry.PublishAsync(folder, created);
        File.WriteAllText(Path.Combine(folder, "config.json"), "{ }");

        Assert.Contains(
            "never changes", (await Assert.ThrowsAsync<ModelUnavailableException>(() => _registry.PublishAsync(folder, created))).Message);
        Assert.Empty(await _registry.VerifyAsync(first.Version));
    }

    [Fact]
    public async Task Publishing_makes_nothing_live_and_promoting_does()
    {
        string version = await PublishAsync("a");
        Assert.Null(await _registry.CurrentAsync());

        await _registry.PromoteAsync(version, "it is better");

        var current = (await _registry.CurrentAsync())!;
        Assert.Equal((version, "it is better"), (current.Version, current.Reason));
        Assert.True(Assert.Single(await _registry.ListAsync()).IsLive);
        Assert.True((await _registry.ShowAsync(version)).IsLive);
    }

    [Fact]
    public async Task The_pointers_history_tells_what_was_live_when_and_why()
    {
        string a = await PublishAsync("a"), b = await PublishAsync("b");
        await _registry.PromoteAsync(a, "first");
        await _registry.PromoteAsync(b, "second");
        await _registry.PromoteAsync(b, "again");

        var past = Assert.Single((await _registry.CurrentAsync())!.History);
        Assert.Equal((a, "first", false), (past.Version, past.Reason, past.RolledBack));
        Assert.True(past.Replaced >= past.Promoted);
    }

    [Fact]
    public async Task A_rollback_returns_to_the_version_before_and_another_one_further_back()
    {
        string a = await PublishAsync("a"), b = await PublishAsync("b"), c = await PublishAsync("c");
        foreach (string version in new[] { a, b, c }) await _registry.PromoteAsync(version, "newer");

        Assert.Equal(b, (await _registry.RollbackAsync()).Version);
        Assert.Equal(a, (await _registry.RollbackAsync()).Version);
        Assert.Contains("No other model", (await Assert.ThrowsAsync<ModelUnavailableException>(() => _registry.RollbackAsync())).Message);
        Assert.Equal(c, (await _registry.RollbackAsync(c, "it was good after all")).Version);
    }

    [Fact]
    public async Task A_promotion_that_a_gate_decided_does_not_replace_another_model_than_the_one_compared()
    {
        string a = await PublishAsync("a"), b = await PublishAsync("b");
        await _registry.PromoteAsync(a, "first", onlyIfCurrent: "");

        Assert.Contains(
            a, (await Assert.ThrowsAsync<ModelUnavailableException>(
            () => _registry.PromoteAsync(b, "gate passed", onlyIfCurrent: ""))).Message);
        await _registry.PromoteAsync(b, "gate passed", onlyIfCurrent: a);

        Assert.Equal(b, (await _registry.CurrentAsync())!.Version);
    }

    [Fact]
    public async Task Ten_promotions_at_once_leave_a_history_without_gaps()
    {
        string[] versions = await Task.WhenAll(Enumerable.Range(0, 10).Select(number => PublishAsync($"weights {number}")));

        await Task.WhenAll(versions.Select(version => _registry.PromoteAsync(version, "race")));

        var current = (await _registry.CurrentAsync())!;
        Assert.Equal(versions.Order(), current.History.Select(past => past.Version).Append(current.Version).Order());
    }

    [Theory]
    [InlineData("../../etc")]
    [InlineData("20261122T101500Z-3FA9C1")]
    [InlineData("20261122T101500Z-3fa9c1/..")]
    [InlineData("20261122T101500Z-3fa9c1\n")]
    [InlineData("")]
    public async Task A_version_of_another_form_is_refused(string version) =>
        Assert.Contains(
            "not the name", (
            await Assert.ThrowsAsync<ModelUnavailableException>(() => _registry.PromoteAsync(version, "a trick"))).Message);

    [Fact]
    public async Task An_absent_or_incomplete_version_cannot_be_promoted()
    {
        string version = await PublishAsync("a");
        await BlobOf(version, ModelManifest.FileName).DeleteAsync();

        Assert.Contains(
            "interrupted", (
            await Assert.ThrowsAsync<ModelUnavailableException>(() => _registry.PromoteAsync(version, "too early"))).Message);
        Assert.Null(await _registry.CurrentAsync());
    }

    [Fact]
    public async Task Verifying_names_each_damaged_file()
    {
        string version = await PublishAsync("weights");
        await BlobOf(version, "model.safetensors").UploadAsync(new BinaryData("weighty"), overwrite: true);
        await BlobOf(version, "config.json").UploadAsync(new BinaryData("{"), overwrite: true);
        await BlobOf(version, "vocab.txt").DeleteAsync();

        var problems = await _registry.VerifyAsync(version);

        Assert.Collection(
            problems.Order(), one => Assert.Contains("config.json", one), one => Assert.Contains("damaged", one), one =>
            Assert.Contains("missing", one));
    }

    [Fact]
    public async Task A_manifest_with_a_path_in_a_files_name_is_refused()
    {
        string version = await PublishAsync("a");
        await BlobOf(version, ModelManifest.FileName).UploadAsync(
            new BinaryData($$"""{"schema":1,"version":"{{version}}","created":"2026-11-22T10:15:00Z","files":[{"name":"../../x","length":1,"sha256":"00"}]}"""), overwrite: true);

        Assert.Contains(
            "../../x", (await Assert.ThrowsAsync<ModelUnavailableException>(() => _registry.DownloadAsync(version, _folder))).Message);
    }

    private async Task<string> PublishAsync(string weights)
    {
        _clock.Advance(TimeSpan.FromSeconds(1));
        return (await _registry.PublishAsync(NewFolder(weights))).Version;
    }

    private string NewFolder(string weights)
    {
        string folder = Directory.CreateDirectory(Path.Combine(_folder, Path.GetRandomFileName())).FullName;
        File.WriteAllText(Path.Combine(folder, "model.safetensors"), weights);
        File.WriteAllText(Path.Combine(folder, "config.json"), "{}");
        File.WriteAllText(Path.Combine(folder, "vocab.txt"), "[PAD]");
        return folder;
    }

    private Azure.Storage.Blobs.BlobClient BlobOf(string version, string file) =>
        _storage.Container(StorageNames.Models).GetBlobClient($"{version}/{file}");
}
