using System.Text;
using System.Text.Json;
using Azure.Storage.Queues.Models;
using ServerlessBert.Modeling;
using ServerlessBert.Pipeline.Messages;
using ServerlessBert.Pipeline.Models;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Testing;

namespace ServerlessBert.Trainer.Tests;

[Collection(AzuriteCollection.Name)]
public sealed class TrainingJobTests(AzuriteFixture azurite) : IAsyncLifetime
{
    private readonly List<string> said = [];
    private PipelineStorage storage = null!;
    private ModelRegistry registry = null!;

    private static readonly TrainingRequest Quick = new() { Base = "preset:tiny", Epochs = 4, LearningRate = 1e-3, BatchSize = 16, MaxLength = 32, EvalFraction = 0.25 };

    public async Task InitializeAsync()
    {
        storage = await azurite.NewStorageAsync();
        registry = new ModelRegistry(storage);
    }

    public Task DisposeAsync() => Task.CompletedTask;

    [Fact]
    public async Task A_request_becomes_a_published_and_live_model_that_says_what_it_learned_from()
    {
        await UploadAsync("labelled.jsonl", 400);
        await SendAsync(Quick with { Data = ["labelled.jsonl"] });

        Assert.Equal(TrainerExitCode.Done, await RunAsync());

        ModelPointer live = (await registry.CurrentAsync())!;
        ModelDescription description = await registry.ShowAsync(live.Version);
        Assert.Equal("labelled.jsonl", description.Training!.Value.GetProperty("data")[0].GetProperty("name").GetString());
        Assert.Equal(400, description.Training.Value.GetProperty("data")[0].GetProperty("rows").GetInt32());
        Assert.True(description.Metrics!.Value.GetProperty("accuracy").GetDouble() > 0.5);
        Assert.Contains("no model was live before", live.Reason);
        Assert.Empty(await registry.VerifyAsync(live.Version));
        Assert.Equal(0, await WaitingAsync(StorageNames.TrainingRequests));
    }

    [Fact]
    public async Task A_worse_candidate_is_published_and_not_promoted_and_says_why()
    {
        await UploadAsync("labelled.jsonl", 400);
        await SendAsync(Quick);
        await RunAsync();
        string live = (await registry.CurrentAsync())!.Version;
        await SendAsync(Quick with { MaxSteps = 1, Seed = 42 });

        Assert.Equal(TrainerExitCode.Done, await RunAsync());

        Assert.Equal(live, (await registry.CurrentAsync())!.Version);
        string other = Assert.Single(await registry.ListAsync(), model => model.Version != live).Version;
        JsonElement gate = (await registry.TryReadDocumentAsync(other, PromotionGate.FileName))!.Value;
        Assert.False(gate.GetProperty("passed").GetBoolean());
        Assert.Contains(live, gate.GetProperty("reason").GetString());
    }

    [Fact]
    public async Task Without_a_base_it_goes_on_from_the_live_model()
    {
        await UploadAsync("labelled.jsonl", 400);
        await SendAsync(Quick);
        await RunAsync();
        string parent = (await registry.CurrentAsync())!.Version;
        await SendAsync(Quick with { Base = null, Epochs = 1, LearningRate = 1e-4 });

        Assert.Equal(TrainerExitCode.Done, await RunAsync());

        ModelPointer live = (await registry.CurrentAsync())!;
        Assert.NotEqual(parent, live.Version);
        Assert.Equal(parent, (await registry.ShowAsync(live.Version)).Training!.Value.GetProperty("parent").GetString());
    }

    [Fact]
    public async Task Where_no_request_waits_it_ends_at_once() => Assert.Equal(TrainerExitCode.Done, await RunAsync());

    [Theory]
    [InlineData("""{"version":1,"epoch":3}""", "epoch")]
    [InlineData("""{"version":1,"learningRate":30}""", "learningRate")]
    [InlineData("""{"version":1,"base":"current"}""", "none is live")]
    [InlineData("""{"version":1,"base":"preset:tiny","data":["absent"]}""", "absent")]
    [InlineData("not json", "JSON")]
    public async Task A_request_that_cannot_work_goes_to_the_poison_queue_with_its_reason(string body, string reason)
    {
        await UploadAsync("labelled.jsonl", 60);
        await storage.Queue(StorageNames.TrainingRequests).SendMessageAsync(body);

        Assert.Equal(TrainerExitCode.Failed, await RunAsync());

        (string? why, string original) = await TakePoisonAsync();
        Assert.Contains(reason, why);
        Assert.Equal(body, original);
        Assert.Equal(0, await WaitingAsync(StorageNames.TrainingRequests));
        Assert.Null(await registry.CurrentAsync());
    }

    [Fact]
    public async Task Too_few_held_out_rows_to_decide_on_are_refused()
    {
        await UploadAsync("labelled.jsonl", 15);
        await SendAsync(Quick);

        Assert.Equal(TrainerExitCode.Failed, await RunAsync());

        Assert.Contains("held out", (await TakePoisonAsync()).Reason);
    }

    [Fact]
    public async Task A_file_that_cannot_be_read_is_left_out_and_said()
    {
        await UploadAsync("labelled.jsonl", 400);
        await storage.Container(StorageNames.TrainingData).UploadBlobAsync("broken.csv", new BinaryData("a,b\n1,2\n"));
        await SendAsync(Quick with { MaxSteps = 3 });

        Assert.Equal(TrainerExitCode.Done, await RunAsync());

        Assert.Contains(said, line => line.StartsWith("broken.csv is left out", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_request_that_was_tried_too_often_is_given_up_with_its_reason()
    {
        await SendAsync(Quick);
        var queue = storage.Queue(StorageNames.TrainingRequests);
        for (int attempt = 0; attempt < 3; attempt++)
        {
            QueueMessage message = await queue.ReceiveMessageAsync();
            await queue.UpdateMessageAsync(message.MessageId, message.PopReceipt, visibilityTimeout: TimeSpan.Zero);
        }

        Assert.Equal(TrainerExitCode.Failed, await RunAsync());

        Assert.Contains("3 times", (await TakePoisonAsync()).Reason);
    }

    [Fact]
    public async Task Stopped_from_outside_it_puts_the_request_back_and_publishes_nothing()
    {
        await UploadAsync("labelled.jsonl", 400);
        await SendAsync(Quick with { Epochs = 500 });
        using var stop = new CancellationTokenSource();

        Assert.Equal(TrainerExitCode.Interrupted, await RunAsync(progress => { if (progress.Step == 3) stop.Cancel(); }, stop.Token));

        Assert.NotNull((await storage.Queue(StorageNames.TrainingRequests).ReceiveMessageAsync()).Value);
        Assert.Empty(await registry.ListAsync());
    }

    [Fact]
    public async Task While_it_works_the_request_is_invisible_to_other_jobs()
    {
        await UploadAsync("labelled.jsonl", 400);
        await SendAsync(Quick with { MaxSteps = 40 });
        var seen = new List<QueueMessage?>();
        var options = new TrainerOptions { Visibility = TimeSpan.FromSeconds(2), Device = "cpu" };

        // Four seconds of work on a visibility of two: only renewing keeps the message.
        await RunAsync(progress =>
        {
            Thread.Sleep(100);
            if (progress.Step % 10 == 0) seen.Add(storage.Queue(StorageNames.TrainingRequests).ReceiveMessage());
        }, options: options);

        Assert.NotEmpty(seen);
        Assert.All(seen, Assert.Null);
        Assert.NotNull(await registry.CurrentAsync());
    }

    private Task<int> RunAsync(Action<TrainingProgress>? watch = null, CancellationToken stop = default, TrainerOptions? options = null) =>
        new TrainingJob(storage, registry, options ?? new TrainerOptions { Device = "cpu" }, train => train(new Watching(watch ?? (_ => { }))), said.Add).RunOnceAsync(stop);

    private Task SendAsync(TrainingRequest request) => storage.Queue(StorageNames.TrainingRequests).SendMessageAsync(request.ToBody());

    private async Task UploadAsync(string name, int rows)
    {
        var lines = new StringBuilder();
        foreach ((LabelledReview review, int row) in SmallModels.Reviews(rows).Select((review, row) => (review, row)))
            lines.AppendLine(JsonSerializer.Serialize(new { text = $"{review.Text} number {row}", stars = review.Label + 1 }));
        await storage.Container(StorageNames.TrainingData).UploadBlobAsync(name, new BinaryData(lines.ToString()));
    }

    private async Task<(string? Reason, string Body)> TakePoisonAsync()
    {
        QueueMessage? message = await storage.Queue(StorageNames.TrainingRequests + StorageNames.PoisonSuffix).ReceiveMessageAsync();
        Assert.NotNull(message);
        return PoisonMessage.Read(message.Body);
    }

    private async Task<int> WaitingAsync(string queue)
    {
        QueueProperties properties = await storage.Queue(queue).GetPropertiesAsync();
        return properties.ApproximateMessagesCount;
    }

    private sealed class Watching(Action<TrainingProgress> watch) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => watch(value);
    }
}
