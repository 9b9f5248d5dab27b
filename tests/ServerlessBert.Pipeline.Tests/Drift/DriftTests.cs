using System.Text.Json;
using ServerlessBert.Modeling.Checkpoints;
using ServerlessBert.Modeling.Evaluation;
using ServerlessBert.Pipeline.Models;
using ServerlessBert.Pipeline.Retraining;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Testing;

namespace ServerlessBert.Pipeline.Tests.Drift;

[Collection(AzuriteCollection.Name)]
public sealed class DriftTests(AzuriteFixture azurite)
{
    private static readonly KeyValuePair<string, string?>[] Settings =
        [new("ServerlessBert:Drift:MinRows", "10"), new("ServerlessBert:Drift:RequestTraining", "true")];

    [Fact]
    public async Task A_files_summary_compares_it_with_the_models_evaluation_set()
    {
        await using var world = await PipelineWorld.StartAsync(azurite, Settings);
        await PromoteAsync(world, rows: 500);

        JsonElement drift = await ProcessAsync(world, "reviews.jsonl");

        Assert.True(drift.GetProperty("isDrifted").GetBoolean());
        Assert.Contains("stars", drift.GetProperty("flags").EnumerateArray().Select(flag => flag.GetString()));
        Assert.Equal(500, drift.GetProperty("baselineRows").GetInt32());
    }

    [Fact]
    public async Task Drift_asks_for_one_training_however_many_files_show_it_and_again_for_the_next_model()
    {
        await using var world = await PipelineWorld.StartAsync(azurite, Settings);
        await PromoteAsync(world, rows: 500);
        foreach (string file in new[] { "a.jsonl", "b.jsonl" }) await ProcessAsync(world, file);

        TrainingRequest request = TrainingRequest.Parse(Assert.Single(await world.TakeAsync(StorageNames.TrainingRequests)));
        Assert.Equal("drift", request.RequestedBy);
        await ProcessAsync(world, "c.jsonl");
        Assert.Empty(await world.TakeAsync(StorageNames.TrainingRequests));

        await PromoteAsync(world, rows: 400);
        await ProcessAsync(world, "d.jsonl");
        Assert.Single(await world.TakeAsync(StorageNames.TrainingRequests));
    }

    [Fact]
    public async Task Drift_asks_for_nothing_where_that_is_not_set_or_a_request_waits_already()
    {
        await using var quiet = await PipelineWorld.StartAsync(azurite, Settings[0]);
        await PromoteAsync(quiet, rows: 500);
        await ProcessAsync(quiet, "reviews.jsonl");
        Assert.Empty(await quiet.TakeAsync(StorageNames.TrainingRequests));

        await using var busy = await PipelineWorld.StartAsync(azurite, Settings);
        await PromoteAsync(busy, rows: 500);
        await busy.Get<TrainingRequests>().SendAsync(new TrainingRequest { RequestedBy = "a test" });
        await ProcessAsync(busy, "reviews.jsonl");
        Assert.Single(await busy.TakeAsync(StorageNames.TrainingRequests));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("[1]")]
    [InlineData("""{"rows":5}""")]
    public async Task Without_a_baseline_that_can_be_read_nothing_is_compared_and_the_file_is_done(string? baseline)
    {
        await using var world = await PipelineWorld.StartAsync(azurite, Settings);
        await PromoteAsync(world, baseline);

        await world.DropRowsAsync("reviews.jsonl", 20);
        await world.ProcessAsync("reviews.jsonl");

        Assert.False(JsonDocument.Parse((await world.SummaryAsync("reviews.jsonl"))!).RootElement.TryGetProperty("drift", out _));
    }

    // All of the evaluation set had one star: whatever a random model says, it is another mix or another confidence.
    private static Task<string> PromoteAsync(PipelineWorld world, int rows) => PromoteAsync(world, JsonSerializer.Serialize(
        new PredictionBaseline
        {
            Rows = rows,
            Stars = [0, rows / 2, 0, rows - (rows / 2), 0],
            MeanConfidence = 0.99,
            ConfidenceDeviation = 0.01,
            Tokens = rows * 9,
            UnknownTokens = 0
        }, PipelineJson.Options));

    private static async Task<string> PromoteAsync(PipelineWorld world, string? baseline)
    {
        world.Clock.Advance(TimeSpan.FromSeconds(1));
        string folder = Directory.CreateTempSubdirectory("baseline-").FullName;
        using (Checkpoint checkpoint = SmallModels.Create(seed: 3)) checkpoint.Save(folder);
        if (baseline is not null) File.WriteAllText(Path.Combine(folder, PredictionBaseline.FileName), baseline);
        var registry = world.Get<ModelRegistry>();
        string version = (await registry.PublishAsync(folder, world.Clock.GetUtcNow())).Version;
        Directory.Delete(folder, recursive: true);
        await registry.PromoteAsync(version, "a test");
        return version;
    }

    private static async Task<JsonElement> ProcessAsync(PipelineWorld world, string name)
    {
        await world.DropRowsAsync(name, 20);
        await world.ProcessAsync(name);
        return JsonDocument.Parse((await world.SummaryAsync(name))!).RootElement.GetProperty("drift");
    }
}
