using Azure.Storage.Blobs.Specialized;
using ServerlessBert.Modeling.Training;
using ServerlessBert.Pipeline.Retraining;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Testing;

namespace ServerlessBert.Pipeline.Tests.Retraining;

[Collection(AzuriteCollection.Name)]
public sealed class TrainingStateStoreTests(AzuriteFixture azurite) : IAsyncLifetime
{
    private readonly string folder = Directory.CreateTempSubdirectory("training-state-").FullName;
    private readonly TestClock clock = new();
    private readonly string id = Guid.NewGuid().ToString();
    private PipelineStorage storage = null!;
    private TrainingStateStore store = null!;

    public async Task InitializeAsync()
    {
        storage = await azurite.NewStorageAsync();
        store = new TrainingStateStore(storage, clock);
    }

    public Task DisposeAsync()
    {
        Directory.Delete(folder, recursive: true);
        return Task.CompletedTask;
    }

    [Fact]
    public async Task The_newest_checkpoint_comes_back_byte_for_byte_and_only_two_are_kept()
    {
        foreach (int step in new[] { 9, 10, 100 }) Assert.Equal(step, await store.SaveCheckpointAsync(id, Checkpoint(step)));

        Assert.Equal(100, await LoadAsync("back"));
        Assert.Equal(File.ReadAllBytes(Path.Combine(folder, "checkpoint-100", "model.safetensors")),
            File.ReadAllBytes(Path.Combine(folder, "back", "checkpoint-100", "model.safetensors")));
        Assert.DoesNotContain(await NamesAsync(), name => name.Contains("/checkpoint-9/"));
        Assert.Contains($"{id}/checkpoint-10/manifest.json", await NamesAsync());
    }

    [Theory]
    [InlineData("manifest.json", null)]
    [InlineData("model.safetensors", null)]
    [InlineData("model.safetensors", "other bytes")]
    [InlineData("state.json", "")]
    [InlineData("manifest.json", "no JSON")]
    [InlineData("manifest.json", """{"files":[{"name":"../x","length":1,"sha256":"00"}]}""")]
    public async Task A_checkpoint_that_is_not_whole_is_said_and_the_one_before_it_is_taken(string file, string? content)
    {
        foreach (int step in new[] { 10, 20 }) await store.SaveCheckpointAsync(id, Checkpoint(step));
        var blob = storage.Container(StorageNames.Trainings).GetBlobClient($"{id}/checkpoint-20/{file}");
        if (content is null) await blob.DeleteAsync();
        else await blob.UploadAsync(new BinaryData(content), overwrite: true);
        var said = new List<string>();

        Assert.Equal(10, await LoadAsync("back", said));

        Assert.Equal(["checkpoint-10"], Directory.GetFileSystemEntries(Path.Combine(folder, "back")).Select(Path.GetFileName));
        if (file != "manifest.json" || content is not null) Assert.Contains("checkpoint-20", Assert.Single(said));
    }

    [Fact]
    public async Task Without_a_checkpoint_training_begins_at_the_start() => Assert.Equal(0, await LoadAsync("back"));

    [Fact]
    public async Task A_plan_comes_back_as_it_was()
    {
        var plan = new TrainingPlan
        {
            Created = new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero),
            Preset = "tiny",
            Options = new TrainingOptions { Epochs = 2.5, LearningRate = 1e-3, Precision = Precision.BFloat16Mixed, Seed = 7 },
            EvalFraction = 0.25,
            Data = [new TrainingFile("a.jsonl", "0x8D", DateTimeOffset.UnixEpoch)],
        };
        Assert.Null((await store.ReadPlanAsync(id)).Value);
        await store.SavePlanAsync(id, plan);

        TrainingPlan back = (await store.ReadPlanAsync(id)).Intact!;

        Assert.Equal(plan.Options, back.Options);
        Assert.Equal((plan.Created, plan.Preset, plan.EvalFraction, plan.Data[0]),
            (back.Created, back.Preset, back.EvalFraction, back.Data[0]));
    }

    [Fact]
    public async Task Attempts_are_counted_since_the_last_progress()
    {
        for (int attempt = 1; attempt <= 3; attempt++)
        {
            using TrainingDocument document = await store.OpenAsync(id);
            await document.BeginAttemptAsync();
            Assert.Equal((attempt, attempt), (document.Run.Attempts, document.Run.AttemptsSinceProgress));
        }
        using TrainingDocument last = await store.OpenAsync(id);
        await last.ChangeAsync(run => run.WithCheckpoint(10));
        await last.BeginAttemptAsync();
        Assert.Equal((4, 1), (last.Run.Attempts, last.Run.AttemptsSinceProgress));

        await last.ChangeAsync(run => run.WithCheckpoint(10)); // the same step again is none
        Assert.Equal(1, last.Run.AttemptsSinceProgress);
    }

    [Fact]
    public async Task A_process_that_was_taken_for_dead_finds_out_at_its_next_write()
    {
        using TrainingDocument first = await store.OpenAsync(id);
        await first.BeginAttemptAsync();
        using TrainingDocument second = await store.OpenAsync(id);
        await second.BeginAttemptAsync();

        await Assert.ThrowsAsync<TrainingLostException>(() => first.ChangeAsync(run => run with { Step = 1 }));

        Assert.True(first.Lost.IsCancellationRequested);
        await second.ChangeAsync(run => run with { Step = 2 });
        Assert.Equal(2, Assert.Single(await store.RecentAsync(5)).Step);
    }

    [Fact]
    public async Task An_ended_training_keeps_its_document_for_thirty_days_and_nothing_else()
    {
        using TrainingDocument document = await store.OpenAsync(id);
        await document.ChangeAsync(run => run with { Stage = TrainingStage.Done, Outcome = "published" });
        await store.SaveCheckpointAsync(id, Checkpoint(1));
        await store.ClearAsync(id);
        Assert.Equal([$"{id}.json"], await NamesAsync());

        await store.SweepAsync();
        Assert.Equal("published", Assert.Single(await store.RecentAsync(5)).Outcome);

        clock.Advance(TimeSpan.FromDays(31));
        await store.SweepAsync();
        Assert.Empty(await NamesAsync());
    }

    [Theory]
    [InlineData("no JSON")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("")]
    public async Task A_damaged_document_is_shown_as_that_beside_the_others(string damage)
    {
        using TrainingDocument document = await store.OpenAsync(Guid.NewGuid().ToString());
        await document.BeginAttemptAsync();
        await storage.Container(StorageNames.Trainings).GetBlobClient($"{id}.json").UploadAsync(new BinaryData(damage));

        IReadOnlyList<TrainingJobState> recent = await store.RecentAsync(5);

        Assert.Equal(2, recent.Count);
        TrainingJobState damaged = recent.Single(training => training.Id == id);
        Assert.Equal(TrainingStage.Damaged, damaged.Stage);
        Assert.Contains($"{id}.json is damaged", damaged.Outcome);
        using TrainingDocument opened = await store.OpenAsync(id);
        Assert.Contains("is damaged", opened.Damage);
    }

    [Theory]
    [InlineData("""{"files":[null]}""")]
    [InlineData("""{"files":null}""")]
    [InlineData("null")]
    [InlineData("[]")]
    public async Task A_damaged_manifest_of_a_checkpoint_is_reported_and_the_one_before_it_is_taken(string manifest)
    {
        foreach (int step in new[] { 10, 20 }) await store.SaveCheckpointAsync(id, Checkpoint(step));
        await storage.Container(StorageNames.Trainings).GetBlobClient($"{id}/checkpoint-20/manifest.json")
            .UploadAsync(new BinaryData(manifest), overwrite: true);
        var reported = new List<string>();

        Assert.Equal(10, await LoadAsync("back", reported));

        Assert.Contains("checkpoint-20", Assert.Single(reported));
    }

    [Fact]
    public async Task A_blob_that_somebody_holds_is_no_reason_not_to_train()
    {
        using TrainingDocument document = await store.OpenAsync(id);
        await document.ChangeAsync(run => run with { Stage = TrainingStage.Done });
        await storage.Container(StorageNames.Trainings).GetBlobClient($"{id}.json").GetBlobLeaseClient()
            .AcquireAsync(BlobLeaseClient.InfiniteLeaseDuration);
        clock.Advance(TimeSpan.FromDays(31));

        await store.SweepAsync();

        Assert.Single(await NamesAsync());
    }

    [Fact]
    public async Task Storage_of_an_earlier_release_has_no_trainings()
    {
        await storage.Container(StorageNames.Trainings).DeleteAsync();

        Assert.Empty(await store.RecentAsync(5));
        await using TrainingLock? taken = await TrainingLock.TryTakeAsync(storage, id);
        Assert.NotNull(taken);
    }

    [Fact]
    public async Task The_right_to_train_is_one_requests_at_a_time()
    {
        string other = Guid.NewGuid().ToString();
        TrainingLock? first = await TrainingLock.TryTakeAsync(storage, id);
        Assert.NotNull(first);
        Assert.Null(await TrainingLock.TryTakeAsync(storage, other));

        // Whoever holds the request after its trainer died takes the lease up, whatever is left of it.
        await using (TrainingLock? successor = await TrainingLock.TryTakeAsync(storage, id)) Assert.NotNull(successor);

        await using TrainingLock? next = await TrainingLock.TryTakeAsync(storage, other);
        Assert.NotNull(next);
        await first.DisposeAsync(); // gave back what was another's by then, and says nothing
        Assert.Null(await TrainingLock.TryTakeAsync(storage, id));
    }

    private Task<int> LoadAsync(string into, List<string>? said = null) =>
        store.LoadCheckpointAsync(id, Path.Combine(folder, into), (said ?? []).Add);

    private async Task<List<string>> NamesAsync()
    {
        var names = new List<string>();
        await foreach (var blob in storage.Container(StorageNames.Trainings).GetBlobsAsync()) names.Add(blob.Name);
        return names;
    }

    private string Checkpoint(int step)
    {
        string path = Directory.CreateDirectory(Path.Combine(folder, $"checkpoint-{step}")).FullName;
        File.WriteAllText(Path.Combine(path, "state.json"), $$"""{"step":{{step}}}""");
        File.WriteAllBytes(Path.Combine(path, "model.safetensors"), [.. Enumerable.Range(0, 5000).Select(index => (byte)(index * step))]);
        return path;
    }
}
