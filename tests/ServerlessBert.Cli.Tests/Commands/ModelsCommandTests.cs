using System.Text.Json;
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
        File.WriteAllText(Path.Combine(second, "training.json"), JsonSerializer.Serialize(new { parent = live, options = new { epochs = 3 } }));
        string candidate = await RunAsync("models", "publish", second);

        await RunAsync("models", "shadow", candidate, "--share", "0.25");
        JsonElement shown = JsonDocument.Parse(await RunAsync("models", "show", candidate)).RootElement;

        Assert.Equal(reason, shown.GetProperty("gate").GetProperty("reason").GetString());
        Assert.Equal(("shadow", live), (shown.GetProperty("role").GetString(), shown.GetProperty("parent").GetString()));
        Assert.Equal(3, shown.GetProperty("training").GetProperty("options").GetProperty("epochs").GetInt32());
        Assert.Contains("shadow", await RunAsync("models", "list"));
        string fates = await RunAsync("models", "retire", "--keep", "0", "--dry-run");
        Assert.Contains($"{live}", fates);
        Assert.DoesNotContain("would retire", fates);
        Assert.Contains($"{candidate}, on 25", await RunAsync("status"));

        await RunAsync("models", "shadow", "--off");
        Assert.Contains("would retire", await RunAsync("models", "retire", "--keep", "0", "--dry-run"));
        Assert.Equal(2, (await SbertProcess.RunAsync(["models", "shadow"], environment: environment)).ExitCode);
    }

    private async Task<string> RunAsync(params string[] arguments)
    {
        var result = await SbertProcess.RunAsync(arguments, environment: environment);
        Assert.True(result.ExitCode == 0, $"{string.Join(' ', arguments)}: {result.Errors}");
        return result.Output.Trim();
    }
}
