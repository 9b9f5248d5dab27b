using System.Text.Json;
using Azure.Storage.Blobs.Specialized;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Testing;
using ServerlessBert.Trainer;

namespace ServerlessBert.Cli.Tests.Commands;

[Collection(AzuriteCollection.Name)]
public sealed class ModelsCommandTests(AzuriteFixture azurite) : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly Dictionary<string, string> environment = new()
    {
        [PipelineStorage.ConnectionSection] = azurite.ConnectionString,
        ["ServerlessBert__Storage__Prefix"] = AzuriteFixture.NewPrefix(),
    };

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task A_candidate_that_was_not_promoted_is_shown_with_its_reason_and_may_run_in_shadow()
    {
        string first = SmallModels.Save(folder.Path, 1), second = SmallModels.Save(folder.Path, 2);
        string live = await RunAsync("models", "publish", first, "--promote", "--dtype", "bfloat16");
        const string reason = "accuracy 0.500 on 100 held-out rows, and the live model has 0.700 on the same rows";
        File.WriteAllText(Path.Combine(second, PromotionGate.FileName), JsonSerializer.Serialize(new { passed = false, reason }));
        File.WriteAllText(
            Path.Combine(second, "training.json"), JsonSerializer.Serialize(new { parent = live, options = new { epochs = 3 } }));
        string candidate = await RunAsync("models", "publish", second);

        await RunAsync("models", "shadow", candidate, "--share", "0.25");
        JsonElement shown = JsonDocument.Parse(await RunAsync("models", "show", candidate)).RootElement;

        Assert.Equal(reason, shown.GetProperty("gate").GetProperty("reason").GetString());
        Assert.Equal(("shadow", live), (shown.GetProperty("role").GetString(), shown.GetProperty("parent").GetString()));
        Assert.Equal(3, shown.GetProperty("training").GetProperty("options").GetProperty("epochs").GetInt32());
        Assert.Contains("shadow", await RunAsync("models", "list"));
        string decisions = await RunAsync("models", "prune", "--keep", "0", "--dry-run");
        Assert.Contains($"{live}", decisions);
        Assert.DoesNotContain("would prune", decisions);
        Assert.Contains($"{candidate}, on 25", await RunAsync("status"));

        await RunAsync("models", "shadow", "--off");
        Assert.Contains("would prune", await RunAsync("models", "prune", "--keep", "0", "--dry-run"));
        Assert.Contains("would prune", await RunAsync("models", "retire", "--keep", "0", "--dry-run")); // the verb's earlier name
        Assert.DoesNotContain("retire", await RunAsync("models", "--help"));
        Assert.Equal(2, (await SbertProcess.RunAsync(["models", "shadow"], environment: environment)).ExitCode);
    }

    [Fact]
    public async Task Under_a_foreign_lease_on_the_pointer_promote_says_what_holds_it()
    {
        string version = await RunAsync("models", "publish", SmallModels.Save(folder.Path, 1), "--promote");
        PipelineStorage storage =
            PipelineStorage.FromConnectionString(azurite.ConnectionString, environment["ServerlessBert__Storage__Prefix"]);
        await storage.Container(StorageNames.Models).GetBlobClient("current.json").GetBlobLeaseClient()
            .AcquireAsync(BlobLeaseClient.InfiniteLeaseDuration);
        string other = await RunAsync("models", "publish", SmallModels.Save(folder.Path, 2));

        var result = await SbertProcess.RunAsync(["models", "promote", other], environment: environment);

        Assert.NotEqual(version, other);
        Assert.Equal(1, result.ExitCode);
        Assert.Contains(
            "current.json cannot be written: somebody else holds a lease on it", Assert.Single(result.Errors.Trim().Split('\n')));
    }

    [Fact]
    public async Task A_message_that_is_not_Base64_is_shown_by_peek_with_its_reason_and_put_back_by_replay()
    {
        PipelineStorage storage =
            PipelineStorage.FromConnectionString(azurite.ConnectionString, environment["ServerlessBert__Storage__Prefix"]);
        await storage.CreateAsync();
        await storage.RawQueue("training-requests-poison").SendMessageAsync("""{"base":"preset:tiny"}""");
        await storage.RawQueue("training-requests-poison").SendMessageAsync("plain words");

        string shown = await RunAsync("queues", "peek", "training-requests-poison");
        Assert.Contains("""{"base":"preset:tiny"}""", shown);
        Assert.Contains("plain words", shown);
        Assert.Contains("not Base64", shown);

        await RunAsync("queues", "replay", "training-requests");
        Assert.Equal(["""{"base":"preset:tiny"}""", "plain words"], (await storage.Queue("training-requests").ReceiveMessagesAsync(2)).Value.Select(message => message.Body.ToString()));
    }

    [Theory]
    [InlineData("ServerlessBert__Reviews__BatchRows", "abc")]
    [InlineData("ServerlessBert__Inference__Dtypo", "Float32")]
    public async Task A_setting_that_cannot_work_ends_the_host_with_one_sentence(string name, string value)
    {
        environment[name] = value;

        var result = await SbertProcess.RunAsync(["host", "--port", "0", "--no-azurite"], environment: environment);

        Assert.Equal(1, result.ExitCode);
        Assert.StartsWith($"sbert: {name} is ", Assert.Single(result.Errors.Trim().Split('\n')));
        Assert.DoesNotContain("   at ", result.Output);
    }

    private async Task<string> RunAsync(params string[] arguments)
    {
        var result = await SbertProcess.RunAsync(arguments, environment: environment);
        Assert.True(result.ExitCode == 0, $"{string.Join(' ', arguments)}: {result.Errors}");
        return result.Output.Trim();
    }
}
