using Azure;
using Azure.Core;
using Azure.Core.Pipeline;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Specialized;
using ServerlessBert.Pipeline.Batches;
using ServerlessBert.Pipeline.Runs;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Testing;

namespace ServerlessBert.Pipeline.Tests.Batches;

/// <summary>A blob that something outside of this program holds: that run fails with a sentence, and the others go on.</summary>
[Collection(AzuriteCollection.Name)]
public sealed class HeldOutputTests(AzuriteFixture azurite)
{
    [Theory]
    [InlineData("a.jsonl.jsonl")]
    [InlineData("a.jsonl.summary.json")]
    public async Task A_foreign_lease_on_an_output_fails_its_run_and_no_other(string held)
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        await world.PromoteAsync();
        BlobClient output = world.Storage.Container(StorageNames.Predictions).GetBlobClient(held);
        await output.UploadAsync(new BinaryData("somebody's"));
        await output.GetBlobLeaseClient().AcquireAsync(TimeSpan.FromSeconds(-1));
        string etag = await world.DropRowsAsync("a.jsonl", 4);

        await world.ProcessAsync("a.jsonl").WaitAsync(TimeSpan.FromSeconds(30));
        await world.DropRowsAsync("b.jsonl", 4);
        await world.ProcessAsync("b.jsonl");

        var run = await world.RunOfAsync("a.jsonl", etag);
        Assert.Equal((RunState.Failed, "output_not_writable"), (run.State, run.ErrorCode));
        Assert.Contains($"predictions/{held} cannot be written: somebody else holds a lease on it", run.ErrorMessage);
        Assert.Equal("somebody's", await world.PublishedAsync(held));
        Assert.Equal(4, OneRunTests.LinesOf(await world.PredictionsAsync("b.jsonl")).Length);
    }

    [Theory]
    [InlineData("BlobArchived", "archive tier")]
    [InlineData("BlobImmutableDueToPolicy", "immutability policy")]
    public async Task An_archived_or_immutable_output_fails_its_run_at_once(string code, string part)
    {
        var refusals = new Refusals(request =>
            request.Method != RequestMethod.Head && request.Uri.ToString().Contains("predictions/a.jsonl.jsonl", StringComparison.Ordinal)
            ? new RequestFailedException(409, "The blob said no.", code, null) : null);
        await using var world = await PipelineWorld.StartAsync(azurite, refusals.Over(azurite));
        await world.PromoteAsync();
        string etag = await world.DropRowsAsync("a.jsonl", 4);

        await world.ProcessAsync("a.jsonl");

        var run = await world.RunOfAsync("a.jsonl", etag);
        Assert.Equal((RunState.Failed, "output_not_writable"), (run.State, run.ErrorCode));
        Assert.Contains(part, run.ErrorMessage);
        Assert.InRange(refusals.Count, 1, 4);
        Assert.Contains("output_not_writable", await world.SummaryAsync("a.jsonl"));
    }

    [Fact]
    public async Task A_held_staging_blob_fails_the_run_at_the_first_delivery()
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        await world.PromoteAsync();
        string etag = await world.DropRowsAsync("a.jsonl", 4);
        await world.SplitAsync("a.jsonl");
        var blob = new RunBlobs(world.Storage, RunId.Compute("a.jsonl", etag)).Predictions;
        await blob.CommitBlockListAsync([]);
        await blob.GetBlobLeaseClient().AcquireAsync(TimeSpan.FromSeconds(-1));

        foreach (var message in await world.TakeBatchesAsync()) await world.DeliverAsync(message);

        var run = await world.RunOfAsync("a.jsonl", etag);
        Assert.Equal((RunState.Failed, "output_not_writable"), (run.State, run.ErrorCode));
    }

    [Fact]
    public async Task A_publishing_that_never_succeeds_ends_as_failed()
    {
        var refusals = new Refusals(request =>
            request.Method == RequestMethod.Put && request.Uri.ToString().Contains("predictions/a.jsonl.jsonl", StringComparison.Ordinal)
            ? new RequestFailedException(403, "No role.", "AuthorizationPermissionMismatch", null) : null);
        await using var world = await PipelineWorld.StartAsync(azurite, refusals.Over(azurite),
            new KeyValuePair<string, string?>("ServerlessBert:Runs:MaxAttempts", "2"));
        await world.PromoteAsync();
        string etag = await world.DropRowsAsync("a.jsonl", 2);
        await world.SplitAsync("a.jsonl");
        await Assert.ThrowsAsync<RequestFailedException>(() =>
            world.ClassifyAsync(Assert.Single(world.TakeBatchesAsync().GetAwaiter().GetResult())));
        for (int sweep = 0; sweep < 4; sweep++)
        {
            world.Clock.Advance(new RunOptions().StallTime + TimeSpan.FromSeconds(1));
            await world.Get<RunSweep>().SweepAsync();
        }
        var run = await world.RunOfAsync("a.jsonl", etag);
        Assert.Equal((RunState.Failed, "publishing_failed"), (run.State, run.ErrorCode));
        Assert.Contains("No role.", run.ErrorMessage);
    }

    private sealed class Refusals(Func<Request, RequestFailedException?> refuse) : HttpPipelinePolicy
    {
        private int _count;

        public int Count => _count;

        public PipelineStorage Over(AzuriteFixture azurite)
        {
            var options = new BlobClientOptions();
            options.AddPolicy(this, HttpPipelinePosition.PerCall);
            return PipelineStorage.FromConnectionString(azurite.ConnectionString, AzuriteFixture.NewPrefix(), options);
        }

        public override void Process(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline)
        {
            Refuse(message);
            ProcessNext(message, pipeline);
        }

        public override async ValueTask ProcessAsync(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline)
        {
            Refuse(message);
            await ProcessNextAsync(message, pipeline);
        }

        private void Refuse(HttpMessage message)
        {
            if (refuse(message.Request) is not { } refusal) return;
            Interlocked.Increment(ref _count);
            throw refusal;
        }
    }
}
