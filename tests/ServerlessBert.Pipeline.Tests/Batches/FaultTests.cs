using ServerlessBert.Pipeline.Batches;
using ServerlessBert.Pipeline.Runs;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Testing;

namespace ServerlessBert.Pipeline.Tests.Batches;

/// <summary>
/// Seeded faults: messages lost, repeated, reordered, worked on by two at once, workers stopped midway, files dropped
/// again.
/// </summary>
[Collection(AzuriteCollection.Name)]
public sealed class FaultTests(AzuriteFixture azurite)
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Whatever_happens_to_messages_and_workers_every_file_ends_as_without_faults(int seed)
    {
        await using var world = await PipelineWorld.StartAsync(azurite,
            new KeyValuePair<string, string?>("ServerlessBert:Runs:MaxAttempts", "50"));
        await world.PromoteAsync();
        var random = new Random(seed);
        string[] names = [.. Enumerable.Range(0, 4).Select(file => $"{file}.jsonl")];
        foreach (string name in names)
        {
            await world.DropRowsAsync("clean-" + name, RowsOf(name));
            await world.ProcessAsync("clean-" + name);
            await world.DropRowsAsync(name, RowsOf(name) + (name[0] == '0' ? 5 : 0));
        }
        world.Clock.Advance(TimeSpan.FromSeconds(2));

        for (int round = 0; round < 60 && !await AreDoneAsync(world, names); round++)
        {
            if (round == 2) await world.DropRowsAsync("0.jsonl", RowsOf("0.jsonl"));
            await world.Get<RunSweep>().SweepAsync();
            foreach (var file in await world.TakeFilesAsync())
                await DeliverAsync(random, token => world.Get<FileSplitter>().SplitAsync(file, token));
            var batches = await world.TakeBatchesAsync();
            await Task.WhenAll(Shuffled(random, batches).Select(batch =>
                DeliverAsync(random, token => world.Get<BatchClassifier>().ClassifyAsync(batch, 1 + random.Next(2), token))));
            world.Clock.Advance(TimeSpan.FromMinutes(16));
        }

        foreach (string name in names) Assert.Equal(await world.PredictionsAsync("clean-" + name), await world.PredictionsAsync(name));
    }

    private static int RowsOf(string name) => 5 + ((name[0] - '0') * 4);

    // Lost, stopped midway, delivered to two at once, or as it should be.
    private static async Task DeliverAsync(Random random, Func<CancellationToken, Task> work)
    {
        switch (random.Next(5))
        {
            case 0:
                return;
            case 1:
                using (var stop = new CancellationTokenSource(random.Next(15)))
                {
                    // A worker that is stopped says so in its own way, and leaves whatever it had done.
                    await Record.ExceptionAsync(() => work(stop.Token));
                }
                return;
            case 2:
                await Task.WhenAll(work(default), work(default));
                return;
            default:
                await work(default);
                return;
        }
    }

    private static IEnumerable<ReviewBatchMessage> Shuffled(Random random, List<ReviewBatchMessage> messages) =>
        [.. messages.OrderBy(_ => random.Next())];

    private static async Task<bool> AreDoneAsync(PipelineWorld world, string[] names)
    {
        foreach (string name in names)
        {
            var input = await world.Storage.Container(StorageNames.Reviews).GetBlobClient(name).TryGetPropertiesAsync(default);
            if (await world.Get<RunStore>().TryReadAsync(RunId.Compute(name, ETags.Unquote(input!.ETag))) is not { IsFinished: true })
                return false;
        }
        return true;
    }
}
