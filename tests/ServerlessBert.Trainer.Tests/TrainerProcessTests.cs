using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Azure.Storage.Queues.Models;
using ServerlessBert.Modeling.Reports;
using ServerlessBert.Modeling.Training;
using ServerlessBert.Pipeline.Models;
using ServerlessBert.Pipeline.Retraining;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Testing;

namespace ServerlessBert.Trainer.Tests;

/// <summary>
/// The job as real processes on storage of their own: what is killed goes on, what cannot go on ends, and two never train at
/// once.
/// </summary>
[Collection(AzuriteCollection.Name)]
public sealed class TrainerProcessTests(AzuriteFixture azurite) : IAsyncLifetime
{
    private static readonly TrainingRequest Quick = new TrainingRequest { Base = "preset:tiny", VocabularySize = 200, EvalFraction = 0.2 }
        .With(options => options.Epochs, 3).With(options => options.LearningRate, 1e-3).With(options => options.BatchSize, 8)
        .With(options => options.MaxLength, 32).With(options => options.Seed, 5);

    // A killed job's request is seen again after this long; tests that kill none keep the default of minutes.
    private static readonly (string, string) ComesBackSoon = ("ServerlessBert__Trainer__Visibility", "00:00:01");

    private PipelineStorage storage = null!;
    private ModelRegistry registry = null!;

    public async Task InitializeAsync() => (storage, registry) = await NewStorageAsync();

    public Task DisposeAsync() => Task.CompletedTask;

    [Fact]
    public async Task Killed_ten_times_at_random_moments_it_publishes_once_and_the_weights_of_an_undisturbed_training()
    {
        TrainingRequest request = Quick.With(options => options.Epochs, 12);
        (PipelineStorage undisturbed, ModelRegistry there) = await NewStorageAsync();
        foreach (PipelineStorage each in new[] { storage, undisturbed })
        {
            await UploadAsync(each, 300);
            await SendAsync(each, request);
        }
        await using (TrainerProcess whole = Start(undisturbed)) await whole.MustEndAsync(TrainerExitCode.Done);

        var random = new Random(2026);
        for (int kill = 0; kill < 10; kill++)
        {
            await using TrainerProcess trainer = await StartWithMessageAsync(ComesBackSoon);
            // At any moment of the process's life, of the attempt, or after a checkpoint, so that it gets further too.
            string? after = (kill % 3) switch { 0 => "checkpoint of step", 1 => "labelled.jsonl", _ => null };
            Assert.True(after is null || await trainer.SaysAsync(after), trainer.Said);
            await Task.Delay(random.Next(after is null ? 1500 : 250));
            await trainer.KillAsync();
        }
        await using TrainerProcess last = await StartWithMessageAsync(ComesBackSoon);
        await last.MustEndAsync(TrainerExitCode.Done);

        PublishedModel published = Assert.Single(await registry.ListAsync());
        Assert.True(published is { IsComplete: true, IsLive: true });
        Assert.Empty(await registry.VerifyAsync(published.Version));
        Assert.Equal(await WeightsAsync(there), await WeightsAsync(registry));
        TrainingJobState run = await RunAsync();
        Assert.Equal(TrainingStage.Done, run.Stage);
        Assert.InRange(run.Attempts, 8, 11); // a process that is killed while it starts has not begun one
        Assert.Contains("going on after step", last.Said);
        Assert.Null((await storage.Queue(StorageNames.TrainingRequests).PeekMessageAsync()).Value);
    }

    [Fact]
    public async Task A_request_that_kills_the_trainer_at_the_same_place_five_times_is_poisoned_with_the_reason()
    {
        await UploadAsync(storage, 300);
        await SendAsync(storage, Quick);
        for (int attempt = 0; attempt < 5; attempt++)
        {
            await using TrainerProcess trainer =
                await StartWithMessageAsync(ComesBackSoon, ("ServerlessBert__Trainer__CheckpointSteps", "100000"));
            Assert.True(await trainer.SaysAsync("step 1/"), trainer.Said);
            await trainer.KillAsync();
        }

        await using TrainerProcess sixth = await StartWithMessageAsync(ComesBackSoon);
        await sixth.MustEndAsync(TrainerExitCode.Failed);

        QueueMessage poison = await storage.Queue(StorageNames.TrainingRequests + StorageNames.PoisonSuffix).ReceiveMessageAsync();
        (string? reason, string body) = PoisonMessage.Read(poison.Body);
        Assert.Contains("taken up 5 times before the first checkpoint without getting further, the last time while training", reason);
        Assert.Equal(Quick, TrainingRequest.Parse(new BinaryData(body)));
        Assert.Empty(await registry.ListAsync());
        Assert.Equal(TrainingStage.Failed, (await RunAsync()).Stage);
    }

    [Fact]
    public async Task Of_two_trainers_started_at_once_one_trains_and_the_other_says_so_and_leaves()
    {
        await UploadAsync(storage, 300);
        await SendAsync(storage, Quick);
        await SendAsync(storage, Quick.With(options => options.Seed, 6));

        await using TrainerProcess one = Start(storage), other = Start(storage);
        int[] codes = await Task.WhenAll(one.EndAsync(), other.EndAsync());

        Assert.True(codes.Order().SequenceEqual([TrainerExitCode.Done, TrainerExitCode.Busy]), $"{one.Said}\n--\n{other.Said}");
        Assert.Contains("another training runs", codes[0] == TrainerExitCode.Busy ? one.Said : other.Said);
        Assert.Single(await registry.ListAsync());
        TrainingJobState run = Assert.Single(await new TrainingStateStore(storage, TimeProvider.System).RecentAsync(5));
        Assert.Equal((TrainingStage.Done, 1), (run.Stage, run.Attempts));
        // the other waits for its turn
        Assert.Equal(1, (await storage.Queue(StorageNames.TrainingRequests).GetPropertiesAsync()).Value.ApproximateMessagesCount);
    }

    [Fact]
    public async Task Of_two_trainers_for_one_request_the_second_finds_none_and_says_who_works_on_it()
    {
        await UploadAsync(storage, 300);
        await SendAsync(storage, Quick);
        await using TrainerProcess one = Start(storage);
        Assert.True(await one.SaysAsync("step 1/"), one.Said);

        await using TrainerProcess other = Start(storage);

        await other.MustEndAsync(TrainerExitCode.Done);
        Assert.Contains($"is worked on by {Environment.MachineName}", other.Said);
        await one.MustEndAsync(TrainerExitCode.Done);
    }

    [Fact]
    public async Task Asked_to_end_it_keeps_what_it_learned_and_the_next_one_goes_on_from_there()
    {
        await UploadAsync(storage, 300);
        await SendAsync(storage, Quick);
        await using (TrainerProcess first = Start(storage, ("ServerlessBert__Trainer__CheckpointSteps", "100000")))
        {
            Assert.True(await first.SaysAsync("step 1/"), first.Said);
            first.Stop();
            await first.MustEndAsync(TrainerExitCode.Interrupted);
        }
        TrainingJobState stopped = await RunAsync();
        Assert.Equal((TrainingStage.Waiting, 0), (stopped.Stage, stopped.AttemptsSinceProgress));
        Assert.True(stopped.CheckpointStep > 0);

        await using TrainerProcess second = Start(storage); // at once: the request is visible again

        await second.MustEndAsync(TrainerExitCode.Done);
        Assert.Contains($"going on after step {stopped.CheckpointStep}", second.Said);
        Assert.Contains((await registry.ReadManifestAsync((await RunAsync()).Model!)).Files, file => file.Name == TrainingReport.FileName);
    }

    [Fact]
    public async Task Asked_to_end_at_any_moment_of_a_training_it_ends_by_itself_and_never_aborts()
    {
        await UploadAsync(storage, 300);
        await SendAsync(storage, Quick.With(options => options.Epochs, 500));
        var random = new Random(14);
        for (int stop = 0; stop < 6; stop++)
        {
            await using TrainerProcess trainer = await StartWithMessageAsync(ComesBackSoon);
            string? after = (stop % 3) switch { 0 => "labelled.jsonl", 1 => "step ", _ => "checkpoint of step" };
            Assert.True(await trainer.SaysAsync(after), trainer.Said);
            await Task.Delay(random.Next(400));
            trainer.Stop();

            await trainer.MustEndAsync(TrainerExitCode.Interrupted);
            Assert.DoesNotContain("terminate called", trainer.Said);
        }
        Assert.Equal(0, (await RunAsync()).AttemptsSinceProgress);
    }

    [Theory]
    [InlineData("ServerlessBert__Trainer__MaxHours", "abc", "ServerlessBert__Trainer__MaxHours is \"abc\"; it must be a number.")]
    [InlineData("ServerlessBert__Trainer__Device", "tpu", "ServerlessBert__Trainer__Device is \"tpu\"; it must be auto, cpu, cuda.")]
    [InlineData("ServerlessBert__Trainer__MaxAttempt", "3", "ServerlessBert__Trainer__MaxAttempt is not a setting; ")]
    [InlineData("ServerlessBert__Reviews__MaxRows", "0", "ServerlessBert__Reviews__MaxRows is \"0\"; it must be 1 or more.")]
    [InlineData("ServerlessBert__Train__MaxHours", "3", "ServerlessBert__Train is not a section of settings; ")]
    [InlineData("AzureWebJobsStorage", "nonsense", "AzureWebJobsStorage is not a storage connection string; ")]
    public async Task A_setting_that_cannot_work_ends_it_at_start_with_one_sentence(string name, string value, string sentence)
    {
        await using TrainerProcess trainer = Start(storage, (name, value));

        await trainer.MustEndAsync(TrainerExitCode.Usage);

        Assert.StartsWith("trainer: " + sentence, Assert.Single(trainer.Said.Split('\n')));
    }

    [Fact]
    public async Task Without_a_network_it_ends_with_code_five_and_one_sentence()
    {
        await using TrainerProcess trainer = Start(storage, ("AzureWebJobsStorage", NobodyListens));

        await trainer.MustEndAsync(TrainerExitCode.TryAgain);

        Assert.Contains("storage does not answer", Assert.Single(trainer.Said.Split('\n')));
    }

    [Theory]
    [InlineData(CutKind.Refused)]
    [InlineData(CutKind.Silent)]
    [InlineData(CutKind.Page)]
    [InlineData(CutKind.HalfABody)]
    public async Task Under_a_network_that_is_cut_while_it_trains_it_ends_with_a_sentence_and_the_request_is_trained_later(CutKind kind)
    {
        await UploadAsync(storage, 300);
        await SendAsync(storage, Quick.With(options => options.Epochs, 30));
        await using var network = new CutNetwork(azurite.ConnectionString);
        await using (TrainerProcess trainer = Start(storage, ComesBackSoon, ("AzureWebJobsStorage", network.ConnectionString)))
        {
            Assert.True(await trainer.SaysAsync("checkpoint of step"), trainer.Said);
            network.Cut(kind);

            Assert.Contains(await trainer.EndAsync(), new[] { TrainerExitCode.TryAgain, TrainerExitCode.Interrupted });
            Assert.DoesNotContain("Unhandled", trainer.Said);
            Assert.DoesNotContain("   at ", trainer.Said);
            Assert.DoesNotContain("terminate called", trainer.Said);
        }

        await using TrainerProcess next = await StartWithMessageAsync(ComesBackSoon);
        await next.MustEndAsync(TrainerExitCode.Done);
        Assert.Single(await registry.ListAsync());
    }

    // The port of "discard", which nobody serves.
    private const string NobodyListens =
        "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=aGVsbG8=;BlobEndpoint=http://127.0.0.1:9/a;QueueEndpoint=http://127.0.0.1:9/a;";

    private async Task<(PipelineStorage Storage, ModelRegistry Registry)> NewStorageAsync()
    {
        PipelineStorage fresh = await azurite.NewStorageAsync();
        return (fresh, new ModelRegistry(fresh));
    }

    /// <summary>Starts a trainer once the request is visible again: as the scaler does.</summary>
    private async Task<TrainerProcess> StartWithMessageAsync(params (string Name, string Value)[] settings)
    {
        Assert.False((await RunAsync())?.HasEnded == true, "The training has ended before the test was done with it.");
        while ((await storage.Queue(StorageNames.TrainingRequests).PeekMessageAsync()).Value is null) await Task.Delay(50);
        return Start(storage, settings);
    }

    private TrainerProcess Start(PipelineStorage on, params (string Name, string Value)[] settings)
    {
        var environment = new Dictionary<string, string>
        {
            ["AzureWebJobsStorage"] = azurite.ConnectionString,
            ["ServerlessBert__Storage__Prefix"] = on.Prefix,
            ["ServerlessBert__Trainer__Device"] = "cpu",
            ["ServerlessBert__Trainer__Pause"] = "00:00:01",
            ["ServerlessBert__Trainer__ReportEvery"] = "00:00:00.2",
            ["ServerlessBert__Trainer__CheckpointSteps"] = "20",
            ["OMP_NUM_THREADS"] = "1",
        };
        foreach ((string name, string value) in settings) environment[name] = value;
        return TrainerProcess.Start(environment);
    }

    private static Task SendAsync(PipelineStorage to, TrainingRequest request) =>
        to.Queue(StorageNames.TrainingRequests).SendMessageAsync(request.ToBody());

    private async Task<TrainingJobState> RunAsync() =>
        (await new TrainingStateStore(storage, TimeProvider.System).RecentAsync(5)).MaxBy(run => run.Updated)!;

    private static async Task UploadAsync(PipelineStorage to, int rows)
    {
        var lines = new StringBuilder();
        foreach ((LabelledReview review, int row) in SmallModels.Reviews(rows).Select((review, row) => (review, row)))
            lines.AppendLine(JsonSerializer.Serialize(new { text = $"{review.Text} number {row}", stars = review.Label + 1 }));
        await to.Container(StorageNames.TrainingData).GetBlobClient("labelled.jsonl")
            .UploadAsync(new BinaryData(lines.ToString()), overwrite: true);
    }

    private static async Task<string> WeightsAsync(ModelRegistry of)
    {
        string folder = Directory.CreateTempSubdirectory().FullName;
        await of.DownloadAsync((await of.CurrentAsync())!.Version, folder);
        string hash = Convert.ToHexStringLower(SHA256.HashData(await File.ReadAllBytesAsync(Path.Combine(folder, ModelManifest.Weights))));
        Directory.Delete(folder, recursive: true);
        return hash;
    }
}
