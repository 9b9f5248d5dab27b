using System.Text;
using System.Text.Json;
using ServerlessBert.Cli.HuggingFace;
using ServerlessBert.Modeling.Checkpoints;

namespace ServerlessBert.Cli.Tests.HuggingFace;

public sealed class ModelPullTests : PullTest
{
    [Fact]
    public async Task What_was_pulled_is_what_the_hub_has_and_loads()
    {
        PulledModel pulled = await PullAsync();
        AssertPulled();
        Assert.Equal(LocalHub.Commit, pulled.Commit);
        Assert.All(pulled.Files, file => Assert.True(file.Fetched));
        Assert.NotNull(pulled.Files.Single(file => file.Name == Weights).Sha256);
        using Checkpoint checkpoint = Checkpoint.Load(Folder);
        Assert.Equal(5, checkpoint.Config.NumLabels);
    }

    [Fact]
    public async Task Every_file_is_asked_for_by_the_one_commit_that_the_revision_was()
    {
        await PullAsync();
        var files = Hub.Requests.Where(request => request.Path.Contains("/resolve/", StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(files);
        Assert.All(files, request => Assert.Contains($"/resolve/{LocalHub.Commit}/", request.Path, StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_token_goes_to_the_hub_and_never_to_the_server_that_it_redirects_to()
    {
        await PullAsync(Options with { Token = "hf_secret" });
        Assert.NotEmpty(Hub.Transfers);
        Assert.All(Hub.Transfers, request => Assert.Null(request.Authorization));
        Assert.All(Hub.Requests.Except(Hub.Transfers), request => Assert.Equal("Bearer hf_secret", request.Authorization));
    }

    [Fact]
    public async Task Files_that_are_there_and_whole_are_not_fetched_again()
    {
        await PullAsync();
        Hub.Requests.Clear();
        PulledModel again = await PullAsync();
        Assert.Empty(Hub.Transfers);
        Assert.All(again.Files, file => Assert.False(file.Fetched));
    }

    [Fact]
    public async Task A_file_that_changed_without_changing_its_length_is_fetched_again()
    {
        await PullAsync();
        string path = Path.Combine(Folder, "vocab.txt");
        byte[] bytes = File.ReadAllBytes(path);
        bytes[^2] ^= 1;
        File.WriteAllBytes(path, bytes);
        PulledModel again = await PullAsync();
        Assert.Equal("vocab.txt", Assert.Single(again.Files, file => file.Fetched).Name);
        AssertPulled();
    }

    [Fact]
    public async Task Sharded_weights_come_with_all_their_shards_and_load()
    {
        Hub.Files.TryRemove(Weights, out byte[]? whole);
        foreach (var (name, bytes) in Shards.Of(whole!)) Hub.Files[name] = bytes;
        PulledModel pulled = await PullAsync();
        AssertPulled();
        Assert.Equal(2, pulled.Files.Count(file => file.Name.EndsWith(".safetensors", StringComparison.Ordinal)));
        using Checkpoint checkpoint = Checkpoint.Load(Folder);
        Assert.Empty(checkpoint.Notes);
    }

    [Theory]
    [InlineData("../evil.safetensors")]
    [InlineData("/tmp/evil.safetensors")]
    [InlineData("folder/evil.safetensors")]
    [InlineData("C:\\evil.safetensors")]
    [InlineData(".safetensors")]
    [InlineData("tokenizer_config.json")]
    [InlineData("..")]
    [InlineData("")]
    public async Task A_shard_that_would_leave_the_folder_or_take_another_files_place_is_refused(string shard)
    {
        Hub.Files.TryRemove(Weights, out byte[]? whole);
        Hub.Files[shard] = whole!;
        Hub.Files[Shards.Index] =
            JsonSerializer.SerializeToUtf8Bytes(new { weight_map = new Dictionary<string, string> { ["a"] = shard } });
        HubException refused = await RefusedAsync();
        Assert.Contains($"'{shard}', which is not a plain name", refused.Message, StringComparison.Ordinal);
        AssertNothingWasWritten();
    }

    [Fact]
    public async Task A_model_of_another_family_is_refused_before_anything_is_written()
    {
        Hub.Files["config.json"] = Encoding.UTF8.GetBytes("""{"model_type":"t5","architectures":["T5ForConditionalGeneration"],"d_model":512,"num_layers":6,"vocab_size":32128}""");
        HubException refused = await RefusedAsync();
        Assert.Contains(
            $"{LocalHub.Name} cannot be used here; its config.json: model_type is 't5'; only bert and distilbert can be read.",
            refused.Message, StringComparison.Ordinal);
        AssertNothingWasWritten();
    }

    [Fact]
    public async Task A_model_with_a_pickle_alone_is_refused_with_the_line_that_converts_it()
    {
        Hub.Files.TryRemove(Weights, out byte[]? weights);
        Hub.Files["pytorch_model.bin"] = weights!;
        HubException refused = await RefusedAsync();
        Assert.Contains("python -c", refused.Message, StringComparison.Ordinal);
        Assert.Contains("safe_serialization=True", refused.Message, StringComparison.Ordinal);
        AssertNothingWasWritten();
    }

    [Fact]
    public async Task A_model_without_a_vocabulary_is_refused()
    {
        Hub.Files.TryRemove("vocab.txt", out _);
        Assert.Contains("neither vocab.txt nor tokenizer.json", (await RefusedAsync()).Message, StringComparison.Ordinal);
        AssertNothingWasWritten();
    }

    [Fact]
    public async Task A_tokenizer_that_cannot_be_read_is_refused_before_the_weights_are_fetched()
    {
        Hub.Files.TryRemove("vocab.txt", out _);
        Hub.Files["tokenizer.json"] = Encoding.UTF8.GetBytes("""{"model":{"type":"BPE","vocab":{},"merges":[]}}""");
        await Assert.ThrowsAsync<InvalidDataException>(() => PullAsync());
        Assert.Empty(Hub.Transfers);
    }

    [Fact]
    public async Task Weights_that_do_not_fit_on_the_disk_are_not_begun()
    {
        Hub.LinkedSize = _ => 1L << 60;
        Assert.Contains("make room", (await RefusedAsync()).Message, StringComparison.Ordinal);
        AssertNothingWasWritten();
    }

    [Fact]
    public async Task Other_weights_are_replaced_only_where_that_was_asked_for()
    {
        await PullAsync();
        byte[] own = [1, 2, 3];
        File.WriteAllBytes(Path.Combine(Folder, Weights), own);
        Assert.Contains("--overwrite", (await RefusedAsync()).Message, StringComparison.Ordinal);
        Assert.Equal(own, File.ReadAllBytes(Path.Combine(Folder, Weights)));
        await PullAsync(overwrite: true);
        AssertPulled();
    }

    [Fact]
    public async Task Two_models_are_not_mixed_in_one_folder()
    {
        Directory.CreateDirectory(Folder);
        File.WriteAllText(Path.Combine(Folder, "tokenizer.json"), "{}");
        Assert.Contains("two models would mix", (await RefusedAsync()).Message, StringComparison.Ordinal);
    }

    private void AssertNothingWasWritten()
    {
        Assert.False(Directory.Exists(Folder));
        Assert.Empty(Hub.Transfers);
    }
}
