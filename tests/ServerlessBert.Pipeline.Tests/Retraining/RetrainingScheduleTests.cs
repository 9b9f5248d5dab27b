using System.Text.Json;
using ServerlessBert.Pipeline.Models;
using ServerlessBert.Pipeline.Retraining;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Testing;

namespace ServerlessBert.Pipeline.Tests.Retraining;

[Collection(AzuriteCollection.Name)]
public sealed class RetrainingScheduleTests(AzuriteFixture azurite)
{
    [Fact]
    public async Task Labelled_files_are_asked_for_once_and_not_again_until_there_is_more()
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        await AskAsync(world);
        Assert.Empty(await TakeAsync(world));

        string first = await AddDataAsync(world, "a.csv");
        await AskAsync(world);
        await AskAsync(world);
        Assert.Equal("schedule", Assert.Single(await TakeAsync(world)).RequestedBy);

        await PublishTrainedAsync(world, promote: true, ("a.csv", first));
        await AskAsync(world);
        Assert.Empty(await TakeAsync(world));

        await AddDataAsync(world, "a.csv");
        await AskAsync(world);
        Assert.Single(await TakeAsync(world));
    }

    [Fact]
    public async Task A_file_that_a_candidate_was_trained_on_that_did_not_pass_is_not_asked_for_again()
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        await world.PromoteAsync();
        string etag = await AddDataAsync(world, "a.csv");
        await PublishTrainedAsync(world, promote: false, ("a.csv", etag));

        await AskAsync(world);

        Assert.Empty(await TakeAsync(world));
    }

    [Theory]
    [InlineData("no JSON")]
    [InlineData("""{"data":7}""")]
    [InlineData("""{"data":[{"name":null}]}""")]
    [InlineData("[]")]
    public async Task A_version_whose_training_record_is_damaged_does_not_end_retraining(string record)
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        string version = await world.PromoteAsync();
        await world.Storage.Container(StorageNames.Models).GetBlobClient($"{version}/training.json").UploadAsync(new BinaryData(record));
        await AddDataAsync(world, "a.csv");

        await AskAsync(world);

        Assert.Single(await TakeAsync(world));
    }

    [Fact]
    public async Task A_file_that_holds_no_reviews_by_its_name_is_no_reason_to_train()
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        await AddDataAsync(world, "README.md");

        await AskAsync(world);

        Assert.Empty(await TakeAsync(world));
    }

    [Fact]
    public async Task After_a_training_was_given_up_nobody_is_asked_until_a_person_looked()
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        await AddDataAsync(world, "a.csv");
        await world.Storage.Queue(StorageNames.TrainingRequests + StorageNames.PoisonSuffix).SendMessageAsync("{}");

        await AskAsync(world);

        Assert.Empty(await TakeAsync(world));
    }

    [Fact]
    public async Task A_request_that_no_training_can_fulfil_is_not_sent()
    {
        await using var world = await PipelineWorld.StartAsync(azurite);

        await Assert.ThrowsAsync<MessageFormatException>(
            () => world.Get<TrainingRequests>().SendAsync(new TrainingRequest().With(options => options.Epochs, -1)));

        Assert.Empty(await TakeAsync(world));
    }

    [Fact]
    public async Task The_evaluation_set_is_no_reason_to_train()
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        await AddDataAsync(world, TrainingFiles.EvaluationFolder + "fixed.csv");

        await AskAsync(world);

        Assert.Empty(await TakeAsync(world));
    }

    [Fact]
    public async Task Where_more_new_rows_are_asked_for_nobody_is_asked_before_they_are_there()
    {
        await using var world =
            await PipelineWorld.StartAsync(azurite, new KeyValuePair<string, string?>("ServerlessBert:Retraining:MinNewRows", "5"));
        string first = await AddDataAsync(world, "a.csv", rows: 10);
        await PublishTrainedAsync(world, promote: true, rows: 10, ("a.csv", first));

        await AddDataAsync(world, "a.csv", rows: 13);
        await AddDataAsync(world, "b.csv", rows: 1);
        await AddDataAsync(world, "unreadable.csv", "a,b\n1,2\n");
        await AskAsync(world);
        Assert.Empty(await TakeAsync(world));

        await AddDataAsync(world, "b.csv", rows: 2);
        await AskAsync(world);
        Assert.Single(await TakeAsync(world));
    }

    private static Task AskAsync(PipelineWorld world) => world.Get<RetrainingSchedule>().RequestIfNeededAsync();

    private static async Task<List<TrainingRequest>> TakeAsync(PipelineWorld world) =>
        [.. (await world.TakeAsync(StorageNames.TrainingRequests)).Select(TrainingRequest.Parse)];

    private static Task<string> AddDataAsync(PipelineWorld world, string name, int rows = 1) =>
        AddDataAsync(world, name, "stars,text\n" + string.Concat(Enumerable.Repeat("5,good\n", rows)));

    private static async Task<string> AddDataAsync(PipelineWorld world, string name, string content)
    {
        var blob = world.Storage.Container(StorageNames.TrainingData).GetBlobClient(name);
        return ETags.Unquote((await blob.UploadAsync(new BinaryData(content), overwrite: true)).Value.ETag);
    }

    private static Task PublishTrainedAsync(PipelineWorld world, bool promote, params (string Name, string ETag)[] data) =>
        PublishTrainedAsync(world, promote, 1, data);

    private static async Task PublishTrainedAsync(PipelineWorld world, bool promote, int rows, params (string Name, string ETag)[] data)
    {
        string folder = Directory.CreateTempSubdirectory("trained-").FullName;
        string model = SmallModels.Save(folder, 9);
        await File.WriteAllTextAsync(
            Path.Combine(model, "training.json"),
            JsonSerializer.Serialize(new { data = data.Select(file => new { name = file.Name, eTag = file.ETag, rows }) }));
        world.Clock.Advance(TimeSpan.FromSeconds(1));
        var registry = world.Get<ModelRegistry>();
        var manifest = await registry.PublishAsync(model);
        if (promote) await registry.PromoteAsync(manifest.Version, "trained");
        Directory.Delete(folder, recursive: true);
    }
}
