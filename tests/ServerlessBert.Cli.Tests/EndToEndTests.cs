using System.Diagnostics;
using System.Text.Json;
using ServerlessBert.Pipeline.Models;
using ServerlessBert.Pipeline.Runs;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Testing;

namespace ServerlessBert.Cli.Tests;

/// <summary>The whole path with real processes: a host, a dropped file, its predictions.</summary>
[Collection(AzuriteCollection.Name)]
public sealed class EndToEndTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly Dictionary<string, string> environment;
    private readonly PipelineStorage storage;
    private Process? host;

    public EndToEndTests(AzuriteFixture azurite)
    {
        string prefix = AzuriteFixture.NewPrefix();
        storage = PipelineStorage.FromConnectionString(azurite.ConnectionString, prefix);
        environment = new()
        {
            ["AzureWebJobsStorage"] = azurite.ConnectionString,
            ["ServerlessBert__Storage__Prefix"] = prefix,
            ["ServerlessBert__Reviews__BatchRows"] = "4",
            ["ServerlessBert__Models__PollInterval"] = "00:00:01",
            ["ServerlessBert__Inference__Dtype"] = "Float32",
            ["AzureFunctionsJobHost__extensions__queues__lease"] = "00:00:05", // a killed host's messages come back sooner
        };
    }

    public void Dispose()
    {
        host?.Kill(entireProcessTree: true);
        host?.Dispose();
        folder.Dispose();
    }

    [Fact]
    public async Task A_dropped_file_gets_the_stars_that_classify_gives_and_the_next_model_answers_the_next_file()
    {
        string first = SmallModels.Save(folder.Path, seed: 1), second = SmallModels.Save(folder.Path, seed: 2);
        string version = await PublishAsync(first);
        StartHost();
        string reviews = WriteReviews("reviews.jsonl", 30);

        JsonElement[] dropped = await DropAsync(reviews);
        var local = await SbertProcess.RunAsync(["classify", reviews, "--model", first, "--dtype", "float32"]);

        Assert.Equal(Stars(Lines(local.Output)), Stars(dropped));
        Assert.All(dropped, line => Assert.Equal(version, line.GetProperty("model").GetString()));

        // No restart in between: the pointer moves, and the next file is answered by the new version.
        string next = await PublishAsync(second);
        JsonElement[] later = await DropAsync(WriteReviews("later.jsonl", 30));

        Assert.All(later, line => Assert.Equal(next, line.GetProperty("model").GetString()));
        Assert.NotEqual(Stars(dropped), Stars(later));
    }

    [Fact]
    public async Task A_host_that_is_killed_in_the_middle_of_a_file_loses_and_doubles_nothing()
    {
        await PublishAsync(SmallModels.Save(folder.Path));
        string reviews = WriteReviews("many.jsonl", 600);
        StartHost();
        Task<JsonElement[]> waiting = DropAsync(reviews);
        var runs = new RunStore(storage);
        await Eventually.IsTrueAsync(async () =>
            (await runs.RecentAsync(1)).FirstOrDefault() is { Staged: > 5 } progress
                && progress.Staged < progress.Run.Batches, seconds: 60);

        host!.Kill(entireProcessTree: true); // SIGKILL
        await host.WaitForExitAsync();
        StartHost();

        JsonElement[] lines = await waiting;
        Assert.Equal(Enumerable.Range(0, 600), lines.Select(line => line.GetProperty("row").GetInt32()));
        Assert.Equal(Enumerable.Range(0, 600).Select(row => $"r{row}"), lines.Select(line => line.GetProperty("id").GetString()));
    }

    [Fact]
    public async Task Files_that_cannot_be_classified_fail_with_their_reason_and_the_rest_goes_on()
    {
        await PublishAsync(SmallModels.Save(folder.Path));
        StartHost();
        string[] files =
        [
            folder.File("columns.csv", "name,price\na,1\n"),
            folder.File("empty.csv", ""),
            folder.File("binary.csv", "\0\u0001\u0002\0\0\0"),
            folder.File("broken.jsonl", "{\"text\":\"good\"}\nnot json\n"),
            folder.File("long.txt", $"good food\n{new string('x', 10_000_000)}\nbad food\n"),
        ];

        var result = await SbertProcess.RunAsync(["drop", .. files, "--wait", "--out", folder.Path], environment: environment);

        Assert.Equal(1, result.ExitCode);
        Assert.Contains("columns.csv: failed (no_text_column)", result.Errors);
        Assert.Contains("empty.csv: failed (empty_file)", result.Errors);
        Assert.Contains("binary.csv: failed (binary_file)", result.Errors);
        Assert.Equal("invalid_json", Prediction("broken.jsonl", 1).GetProperty("error").GetProperty("code").GetString());
        Assert.Equal("line_too_long", Prediction("long.txt", 1).GetProperty("error").GetProperty("code").GetString());
        Assert.True(Prediction("long.txt", 2).TryGetProperty("stars", out _));
    }

    [Fact]
    public async Task A_training_request_in_the_queue_ends_as_a_live_model()
    {
        StartHost("--no-trainer");
        string data = folder.At("labelled.jsonl");
        await SbertProcess.RunAsync(["generate", "--rows", "400", "--out", data]);
        var sent = await SbertProcess.RunAsync(
            ["train", "--queue", "--data", data, "--preset", "tiny", "--max-steps", "5", "--max-length", "64"], environment: environment);
        Assert.True(sent.ExitCode == 0, sent.Errors);

        var trained = await SbertProcess.RunAsync(["trainer"], environment: environment);

        Assert.True(trained.ExitCode == 0, trained.Errors + trained.Output);
        string live = (await new ModelRegistry(storage).CurrentAsync())!.Version;
        Assert.Contains($"promoted {live}", trained.Output);
        Assert.Contains($"* {live}", (await SbertProcess.RunAsync(["models", "list"], environment: environment)).Output);
        Assert.Contains(live, (await SbertProcess.RunAsync(["status"], environment: environment)).Output);
        JsonElement[] lines = await DropAsync(WriteReviews("after.jsonl", 5));
        Assert.All(lines, line => Assert.Equal(live, line.GetProperty("model").GetString()));
    }

    private void StartHost(params string[] options)
    {
        host = SbertProcess.Start(["host", "--port", "0", .. options], environment);
        // Read to the end, so that a full pipe never stops the host.
        _ = host.StandardOutput.ReadToEndAsync();
        _ = host.StandardError.ReadToEndAsync();
    }

    private async Task<string> PublishAsync(string model)
    {
        var result = await SbertProcess.RunAsync(["models", "publish", model, "--promote"], environment: environment);
        Assert.True(result.ExitCode == 0, result.Errors);
        return result.Output.Trim();
    }

    private async Task<JsonElement[]> DropAsync(string file)
    {
        var result = await SbertProcess.RunAsync(["drop", file, "--wait", "--out", folder.Path], environment: environment);
        Assert.True(result.ExitCode == 0, result.Errors);
        return Lines(await File.ReadAllTextAsync($"{folder.At(Path.GetFileName(file))}.predictions.jsonl"));
    }

    private JsonElement Prediction(string file, int row) => Lines(File.ReadAllText($"{folder.At(file)}.predictions.jsonl"))[row];

    private string WriteReviews(string name, int count) => folder.File(name, string.Concat(
        SmallModels.Reviews(count).Select((review, row) => JsonSerializer.Serialize(new { id = $"r{row}", text = review.Text }) + "\n")));

    private static JsonElement[] Lines(string text) =>
        [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement)];

    private static int[] Stars(JsonElement[] lines) => [.. lines.Select(line => line.GetProperty("stars").GetInt32())];
}
