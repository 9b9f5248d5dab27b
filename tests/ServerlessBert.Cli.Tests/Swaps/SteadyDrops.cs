using System.Text;
using Azure.Storage.Blobs.Models;
using ServerlessBert.Pipeline.Batches;
using ServerlessBert.Pipeline.Runs;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Testing;

namespace ServerlessBert.Cli.Tests.Swaps;

/// <summary>Files of one batch, dropped at a steady rate until it is ended.</summary>
internal sealed class SteadyDrops : IAsyncDisposable
{
    private readonly PipelineStorage _storage;
    private readonly CancellationTokenSource _stop = new();
    private readonly List<RunId> _runs = [];
    private readonly Task _dropping;

    /// <summary>Begins to drop.</summary>
    public SteadyDrops(PipelineStorage storage, TimeSpan interval)
    {
        _storage = storage;
        _dropping = DropAsync(interval);
    }

    /// <summary>Ends the dropping and waits until each file's run has ended.</summary>
    /// <param name="patience">How long the last ones may take.</param>
    /// <returns>The runs in the drops' order.</returns>
    public async Task<IReadOnlyList<Run>> EndAsync(TimeSpan patience)
    {
        await _stop.CancelAsync();
        await _dropping;
        var store = new RunStore(_storage);
        using var limit = new CancellationTokenSource(patience);
        var runs = new List<Run>();
        foreach (RunId id in _runs)
        {
            Run? run;
            while ((run = await store.TryReadAsync(id, limit.Token)) is not { IsFinished: true }) await Task.Delay(50, limit.Token);
            runs.Add(run);
        }
        return runs;
    }

    /// <summary>How many batches failed an attempt at least once.</summary>
    public async Task<int> CountFailuresAsync()
    {
        int failures = 0;
        foreach (RunId id in _runs)
        {
            await foreach (var _ in _storage.Container(StorageNames.Runs)
                .GetBlobsAsync(new GetBlobsOptions { Prefix = $"{id}/failures/" })) failures++;
        }
        return failures;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _dropping;
        _stop.Dispose();
    }

    private async Task DropAsync(TimeSpan interval)
    {
        using var timer = new PeriodicTimer(interval);
        try
        {
            for (int number = 0; await timer.WaitForNextTickAsync(_stop.Token); number++)
            {
                string name = $"{number}.txt";
                string lines = string.Concat(
                    Enumerable.Range(0, 4).Select(row => $"the food was {SmallModels.WordsByStars[(number + row) % 5]}\n"));
                BlobContentInfo dropped = await _storage.Container(StorageNames.Reviews).GetBlobClient(name)
                    .UploadAsync(new BinaryData(Encoding.UTF8.GetBytes(lines)), overwrite: true);
                string etag = ETags.Unquote(dropped.ETag);
                await _storage.Queue(StorageNames.ReviewFiles)
                    .SendMessageAsync(new ReviewFileMessage { Blob = BlobName.Parse(name), ETag = etag }.ToBody());
                _runs.Add(RunId.Compute(name, etag));
            }
        }
        catch (OperationCanceledException)
        {
            // Asked to end.
        }
    }
}
