using System.Text;
using System.Text.Json;
using Azure.Storage.Blobs.Specialized;
using Azure.Storage.Queues.Models;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ServerlessBert.Modeling.Checkpoints;
using ServerlessBert.Modeling.Training;
using ServerlessBert.Pipeline.Models;
using ServerlessBert.Pipeline.Retraining;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Testing;

namespace ServerlessBert.Trainer.Tests;

[Collection(AzuriteCollection.Name)]
public sealed class TrainingJobTests(AzuriteFixture azurite) : IAsyncLifetime
{
    private readonly List<string> said = [];
    private PipelineStorage storage = null!;
    private ModelRegistry registry = null!;

    private static readonly TrainingRequest Quick = new TrainingRequest { Base = "preset:tiny", EvalFraction = 0.25 }
        .With(options => options.Epochs, 4).With(options => options.LearningRate, 1e-3)
        .With(options => options.BatchSize, 16).With(options => options.MaxLength, 32);

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
        await SendAsync(Quick.With(options => options.MaxSteps, 1).With(options => options.Seed, 42));

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
        await SendAsync((Quick with { Base = null }).With(options => options.Epochs, 1).With(options => options.LearningRate, 1e-4));

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

    [Theory]
    [InlineData("this is not Base64!")]
    [InlineData("""{"version":1,"base":"preset:tiny"}""")]
    public async Task A_request_whose_text_is_not_Base64_goes_to_the_poison_queue_with_its_reason_and_the_next_one_is_trained(string text)
    {
        await UploadAsync("labelled.jsonl", 400);
        await storage.RawQueue(StorageNames.TrainingRequests).SendMessageAsync(text);
        await SendAsync(Quick.With(options => options.MaxSteps, 2));

        Assert.Equal(TrainerExitCode.Failed, await RunAsync());
        Assert.Equal(TrainerExitCode.Done, await RunAsync());

        (string? reason, string body) = await TakePoisonAsync();
        Assert.Contains("not Base64", reason);
        Assert.Equal(text, body);
        Assert.Equal(0, await WaitingAsync(StorageNames.TrainingRequests));
    }

    [Theory]
    [InlineData("no JSON")]
    [InlineData("{}")]
    public async Task A_request_whose_document_is_damaged_goes_to_the_poison_queue_with_its_reason(string damage)
    {
        await UploadAsync("labelled.jsonl", 400);
        await SendAsync(Quick);
        await storage.Container(StorageNames.Trainings).GetBlobClient($"{await RequestIdAsync()}.json").UploadAsync(new BinaryData(damage));

        Assert.Equal(TrainerExitCode.Failed, await RunAsync());

        (string? reason, string body) = await TakePoisonAsync();
        Assert.Contains("is damaged", reason);
        Assert.Equal(Quick, TrainingRequest.Parse(new BinaryData(body)));
        Assert.Equal(TrainingStage.Failed, (await TrainingAsync()).Stage);
    }

    [Fact]
    public async Task A_damaged_plan_restarts_the_training_and_is_logged()
    {
        await UploadAsync("labelled.jsonl", 400);
        await SendAsync(Quick.With(options => options.MaxSteps, 2));
        await storage.Container(StorageNames.Trainings).GetBlobClient($"{await RequestIdAsync()}/plan.json")
            .UploadAsync(new BinaryData("{"));

        Assert.Equal(TrainerExitCode.Done, await RunAsync());

        Assert.Contains(said, line => line.Contains("plan.json is damaged", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_request_whose_document_somebody_holds_ends_in_the_poison_queue_instead_of_being_tried_for_ever()
    {
        await UploadAsync("labelled.jsonl", 400);
        await SendAsync(Quick);
        var document = storage.Container(StorageNames.Trainings).GetBlobClient($"{await RequestIdAsync()}.json");
        await document.UploadAsync(new BinaryData(JsonSerializer.SerializeToUtf8Bytes(
            new TrainingJobState { Id = await RequestIdAsync(), Started = DateTimeOffset.UtcNow, Updated = DateTimeOffset.UtcNow },
                PipelineJson.Options)));
        await document.GetBlobLeaseClient().AcquireAsync(BlobLeaseClient.InfiniteLeaseDuration);

        Assert.Equal(TrainerExitCode.Failed, await RunAsync());

        Assert.Contains("holds a lease", (await TakePoisonAsync()).Reason);
        Assert.Equal(0, await WaitingAsync(StorageNames.TrainingRequests));
    }

    [Fact]
    public async Task Requests_and_poison_messages_are_kept_without_end()
    {
        await new TrainingRequests(storage).SendAsync(Quick);
        PeekedMessage request = await storage.Queue(StorageNames.TrainingRequests).PeekMessageAsync();
        Assert.True(request.ExpiresOn > DateTimeOffset.UtcNow.AddYears(100), $"{request.ExpiresOn}");
        await storage.Queue(StorageNames.TrainingRequests).ClearMessagesAsync();
        await storage.Queue(StorageNames.TrainingRequests).SendMessageAsync("not json");

        Assert.Equal(TrainerExitCode.Failed, await RunAsync());

        PeekedMessage poison = await storage.Queue(StorageNames.TrainingRequests + StorageNames.PoisonSuffix).PeekMessageAsync();
        Assert.True(poison.ExpiresOn > DateTimeOffset.UtcNow.AddYears(100), $"{poison.ExpiresOn}");
    }

    [Fact]
    public async Task Class_weights_that_are_not_numbers_are_refused_at_once()
    {
        await UploadAsync("labelled.jsonl", 400);
        await storage.Queue(StorageNames.TrainingRequests).SendMessageAsync("""{"version":1,"base":"preset:tiny","classWeights":["NaN","1","1","1","1"]}""");

        Assert.Equal(TrainerExitCode.Failed, await RunAsync());

        Assert.Contains("classWeights", (await TakePoisonAsync()).Reason, StringComparison.OrdinalIgnoreCase);
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
        await SendAsync(Quick.With(options => options.MaxSteps, 3));

        Assert.Equal(TrainerExitCode.Done, await RunAsync());

        Assert.Contains(said, line => line.StartsWith("broken.csv is left out", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Rows_of_the_evaluation_set_decide_and_are_never_learned()
    {
        await UploadAsync("labelled.jsonl", 400);
        await UploadAsync("evaluation/fixed.jsonl", 100); // the same texts as the first hundred
        await SendAsync(Quick);

        Assert.Equal(TrainerExitCode.Done, await RunAsync());

        ModelDescription live = await registry.ShowAsync((await registry.CurrentAsync())!.Version);
        Assert.Equal(300,
            live.Training!.Value.GetProperty("trainRows").GetInt32() + live.Training.Value.GetProperty("evaluationRows").GetInt32());
        JsonElement gate = (await registry.TryReadDocumentAsync(live.Manifest.Version, PromotionGate.FileName))!.Value;
        Assert.Equal((100, true), (gate.GetProperty("rows").GetInt32(), gate.GetProperty("isFixedSet").GetBoolean()));
    }

    [Fact]
    public async Task A_candidate_that_is_not_significantly_better_stays_unpromoted_where_a_request_asks_for_it()
    {
        await UploadAsync("labelled.jsonl", 400);
        await SendAsync(Quick);
        await RunAsync();
        string live = (await registry.CurrentAsync())!.Version;
        await SendAsync(
            (Quick with { Tolerance = 1, Significance = 0.05 }).With(options => options.Seed, 42).With(options => options.MaxSteps, 1));

        Assert.Equal(TrainerExitCode.Done, await RunAsync());

        Assert.Equal(live, (await registry.CurrentAsync())!.Version);
        Assert.Contains("McNemar", (await TrainingAsync()).Outcome);
    }

    [Fact]
    public async Task A_damaged_live_model_costs_no_training()
    {
        await UploadAsync("labelled.jsonl", 400);
        await SendAsync(Quick);
        await RunAsync();
        string live = (await registry.CurrentAsync())!.Version;
        await storage.Container(StorageNames.Models).GetBlobClient($"{live}/model.safetensors").DeleteAsync();
        await SendAsync(Quick.With(options => options.Seed, 7));

        Assert.Equal(TrainerExitCode.Done, await RunAsync());

        Assert.Equal(live, (await registry.CurrentAsync())!.Version);
        Assert.Contains("cannot be compared", (await TrainingAsync()).Outcome);
    }

    [Fact]
    public async Task An_error_that_may_pass_puts_the_request_back_and_the_cap_gives_it_up_with_the_reason()
    {
        await UploadAsync("labelled.jsonl", 400);
        await SendAsync(Quick);
        var options = new TrainerOptions { Device = "cpu", MaxAttempts = 3, Pause = TimeSpan.Zero };
        static void Fail(TrainingProgress progress) => throw new InvalidOperationException("libtorch is out of memory.");

        Assert.Equal(TrainerExitCode.TryAgain, await RunAsync(Fail, options: options));
        Assert.Equal(TrainingStage.Waiting, (await TrainingAsync()).Stage);
        Assert.Equal(TrainerExitCode.TryAgain, await RunAsync(Fail, options: options));
        Assert.Equal(TrainerExitCode.Failed, await RunAsync(Fail, options: options));

        (string? reason, _) = await TakePoisonAsync();
        Assert.Contains("3 times", reason);
        Assert.Contains("libtorch is out of memory.", reason);
        Assert.Equal(TrainingStage.Failed, (await TrainingAsync()).Stage);
        Assert.Equal(0, await WaitingAsync(StorageNames.TrainingRequests));
    }

    [Fact]
    public async Task Deliveries_alone_are_no_attempts()
    {
        await UploadAsync("labelled.jsonl", 400);
        await SendAsync(Quick.With(options => options.MaxSteps, 2));
        var queue = storage.Queue(StorageNames.TrainingRequests);
        for (int delivery = 0; delivery < 10; delivery++)
        {
            QueueMessage message = await queue.ReceiveMessageAsync();
            await queue.UpdateMessageAsync(message.MessageId, message.PopReceipt, visibilityTimeout: TimeSpan.Zero);
        }

        Assert.Equal(TrainerExitCode.Done, await RunAsync());
    }

    [Fact]
    public async Task Another_requests_training_is_waited_for_and_that_is_no_attempt()
    {
        await UploadAsync("labelled.jsonl", 400);
        await SendAsync(Quick.With(options => options.MaxSteps, 2));
        var options = new TrainerOptions { Device = "cpu", Pause = TimeSpan.Zero };
        await using (TrainingLock? other = await TrainingLock.TryTakeAsync(storage, Guid.NewGuid().ToString()))
            Assert.Equal(TrainerExitCode.Busy, await RunAsync(options: options));

        Assert.Empty(await new TrainingStateStore(storage, TimeProvider.System).RecentAsync(5));
        Assert.Contains(said, line => line.StartsWith("another training runs", StringComparison.Ordinal));
        Assert.Equal(TrainerExitCode.Done, await RunAsync(options: options));
    }

    [Fact]
    public async Task A_job_that_died_between_publishing_and_deleting_its_message_publishes_nothing_again()
    {
        await UploadAsync("labelled.jsonl", 400);
        await SendAsync(Quick);
        var options = new TrainerOptions { Device = "cpu", Pause = TimeSpan.Zero };
        int interrupted = await RunAsync(options: options, log: line =>
        {
            if (line.StartsWith("published", StringComparison.Ordinal)) throw new InvalidOperationException("killed here");
        });
        Assert.Equal(TrainerExitCode.TryAgain, interrupted);
        string version = Assert.Single(await registry.ListAsync()).Version;

        Assert.Equal(TrainerExitCode.Done, await RunAsync(_ => Assert.Fail("It must not train again."), options: options));

        Assert.Equal(version, Assert.Single(await registry.ListAsync()).Version);
        Assert.Equal(version, (await registry.CurrentAsync())!.Version);
    }

    [Fact]
    public async Task Where_the_live_model_moved_meanwhile_the_candidate_is_compared_with_the_new_one()
    {
        await UploadAsync("labelled.jsonl", 400);
        await SendAsync(Quick);
        string folder = Directory.CreateTempSubdirectory().FullName;
        ModelManifest other = await registry.PublishAsync(SmallModels.Save(folder));
        Directory.Delete(folder, recursive: true);

        int code = await RunAsync(log: line =>
        {
            if (line.StartsWith("published", StringComparison.Ordinal)) registry.PromoteAsync(other.Version, "by hand").Wait();
        });

        Assert.Equal(TrainerExitCode.Done, code);

        ModelPointer live = (await registry.CurrentAsync())!;
        Assert.Contains(other.Version, live.Reason);
        Assert.Equal(other.Version, live.History[0].Version);
    }

    [Fact]
    public async Task A_file_that_changed_since_the_plan_makes_the_training_begin_anew_and_says_so()
    {
        await UploadAsync("labelled.jsonl", 400);
        await SendAsync(Quick);
        var options = new TrainerOptions { Device = "cpu", Pause = TimeSpan.Zero };
        await RunAsync(_ => throw new InvalidOperationException("killed here"), options: options);
        await UploadAsync("labelled.jsonl", 300);

        Assert.Equal(TrainerExitCode.Done, await RunAsync(options: options));

        Assert.Contains(said, line => line.StartsWith("labelled.jsonl was changed or deleted", StringComparison.Ordinal));
        ModelDescription live = await registry.ShowAsync((await registry.CurrentAsync())!.Version);
        Assert.Equal(300, live.Training!.Value.GetProperty("data")[0].GetProperty("rows").GetInt32());
    }

    [Fact]
    public async Task The_start_is_the_model_that_was_live_at_the_first_attempt()
    {
        await UploadAsync("labelled.jsonl", 400);
        await SendAsync(Quick);
        await RunAsync();
        string parent = (await registry.CurrentAsync())!.Version;
        var options = new TrainerOptions { Device = "cpu", Pause = TimeSpan.Zero };
        await SendAsync(Quick with { Base = "current" });
        await RunAsync(_ => throw new InvalidOperationException("killed here"), options: options);
        string folder = Directory.CreateTempSubdirectory().FullName;
        await registry.PromoteAsync((await registry.PublishAsync(SmallModels.Save(folder))).Version, "by hand");
        Directory.Delete(folder, recursive: true);

        Assert.Equal(TrainerExitCode.Done, await RunAsync(options: options));

        Assert.Equal(parent, (await registry.ShowAsync((await TrainingAsync()).Model!)).Training!.Value.GetProperty("parent").GetString());
    }

    [Fact]
    public async Task The_limit_on_hours_counts_all_attempts_and_what_was_learned_by_then_is_published()
    {
        await UploadAsync("labelled.jsonl", 400);
        await SendAsync(Quick.With(options => options.Epochs, 500));

        Assert.Equal(TrainerExitCode.Done, await RunAsync(options: new TrainerOptions { Device = "cpu", MaxHours = 1.0 / 3600 }));

        Assert.Contains(said, line => line.Contains("stopped by the limit", StringComparison.Ordinal));
        TrainingJobState run = await TrainingAsync();
        Assert.True(run.Step < run.TotalSteps);
        Assert.NotNull(run.Model);
    }

    [Fact]
    public async Task The_settings_limit_the_steps_of_any_request()
    {
        await UploadAsync("labelled.jsonl", 400);
        await SendAsync(Quick.With(options => options.Epochs, 500));

        Assert.Equal(TrainerExitCode.Done, await RunAsync(options: new TrainerOptions { Device = "cpu", MaxSteps = 5 }));

        Assert.Equal(5, (await TrainingAsync()).TotalSteps);
    }

    [Fact]
    public async Task A_promotion_prunes_what_is_beyond_the_versions_to_keep()
    {
        string[] old = [
            await PublishAsync(seed: 1, daysAgo: 3), await PublishAsync(seed: 2, daysAgo: 2), await PublishAsync(seed: 3, daysAgo: 1)];
        await UploadAsync("labelled.jsonl", 400);
        await SendAsync(Quick);

        Assert.Equal(TrainerExitCode.Done, await RunAsync(options: new TrainerOptions { Device = "cpu", KeepVersions = 2 }));

        ModelPointer live = (await registry.CurrentAsync())!;
        Assert.Equal(old[..2].Order(), live.Pruned.Select(model => model.Version).Order());
        Assert.Contains("pruned 2 old versions", said);
    }

    [Fact]
    public async Task Weights_are_published_in_the_number_type_of_the_settings()
    {
        await UploadAsync("labelled.jsonl", 400);
        await SendAsync(Quick.With(options => options.MaxSteps, 2));

        Assert.Equal(TrainerExitCode.Done,
            await RunAsync(options: new TrainerOptions { Device = "cpu", Weights = PublishedWeights.BFloat16 }));

        string folder = Directory.CreateTempSubdirectory("sbert-test-").FullName;
        await registry.DownloadAsync((await registry.CurrentAsync())!.Version, folder);
        using (SafetensorsReader weights = SafetensorsReader.Open(Path.Combine(folder, "model.safetensors")))
            Assert.All(weights.Header.Entries, entry => Assert.Equal(TorchSharp.torch.bfloat16, entry.Dtype));
        Checkpoint.Load(folder).Dispose(); // the next training starts from it
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task Stopped_from_outside_it_puts_the_request_back_and_publishes_nothing()
    {
        await UploadAsync("labelled.jsonl", 400);
        await SendAsync(Quick.With(options => options.Epochs, 500));
        using var stop = new CancellationTokenSource();

        Assert.Equal(TrainerExitCode.Interrupted, await RunAsync(progress => { if (progress.Step == 3) stop.Cancel(); }, stop.Token));

        Assert.NotNull((await storage.Queue(StorageNames.TrainingRequests).ReceiveMessageAsync()).Value);
        Assert.Empty(await registry.ListAsync());
        Assert.Equal((TrainingStage.Waiting, 1, 0),
            await TrainingAsync() is var run ? (run.Stage, run.Attempts, run.AttemptsSinceProgress) : default);
    }

    [Fact]
    public async Task While_it_works_the_request_is_invisible_to_other_jobs()
    {
        await UploadAsync("labelled.jsonl", 400);
        await SendAsync(Quick.With(options => options.MaxSteps, 70));
        var seen = new List<QueueMessage?>();
        var options = new TrainerOptions { Visibility = TimeSpan.FromSeconds(6), Device = "cpu" };

        // Seven seconds of work on a visibility of six: only renewing keeps the message.
        await RunAsync(progress =>
        {
            Thread.Sleep(100);
            if (progress.Step % 10 == 0) seen.Add(storage.Queue(StorageNames.TrainingRequests).ReceiveMessage());
        }, options: options);

        Assert.NotEmpty(seen);
        Assert.All(seen, Assert.Null);
        Assert.NotNull(await registry.CurrentAsync());
    }

    private async Task<int> RunAsync(
        Action<TrainingProgress>? watch = null, CancellationToken stop = default, TrainerOptions? options = null,
            Action<string>? log = null)
    {
        await using ServiceProvider services = new ServiceCollection()
            .AddLogging(logging => logging.AddProvider(new LogLines(log ?? said.Add)))
            .AddSingleton(storage)
            .AddSingleton(options ?? new TrainerOptions { Device = "cpu" })
            .AddSingleton<IProgress<TrainingProgress>>(new Watching(watch ?? (_ => { })))
            .AddTrainer(new ConfigurationBuilder().Build())
            .BuildServiceProvider();
        return await services.GetRequiredService<TrainingJob>().RunOnceAsync(stop);
    }

    private async Task<TrainingJobState> TrainingAsync() =>
        (await new TrainingStateStore(storage, TimeProvider.System).RecentAsync(5)).MaxBy(run => run.Updated)!;

    private async Task<string> PublishAsync(long seed, int daysAgo)
    {
        string folder = Directory.CreateTempSubdirectory("sbert-test-").FullName;
        ModelManifest published = await registry.PublishAsync(SmallModels.Save(folder, seed), DateTimeOffset.UtcNow.AddDays(-daysAgo));
        Directory.Delete(folder, recursive: true);
        return published.Version;
    }

    private async Task<string> RequestIdAsync() => (await storage.Queue(StorageNames.TrainingRequests).PeekMessageAsync()).Value.MessageId;

    private Task SendAsync(TrainingRequest request) => storage.Queue(StorageNames.TrainingRequests).SendMessageAsync(request.ToBody());

    private async Task UploadAsync(string name, int rows)
    {
        var lines = new StringBuilder();
        foreach ((LabelledReview review, int row) in SmallModels.Reviews(rows).Select((review, row) => (review, row)))
            lines.AppendLine(JsonSerializer.Serialize(new { text = $"{review.Text} number {row}", stars = review.Label + 1 }));
        await storage.Container(StorageNames.TrainingData).GetBlobClient(name)
            .UploadAsync(new BinaryData(lines.ToString()), overwrite: true);
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
