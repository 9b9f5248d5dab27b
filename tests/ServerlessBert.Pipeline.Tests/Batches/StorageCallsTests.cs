using System.Collections.Concurrent;
using System.Diagnostics.Tracing;
using Azure.Core.Diagnostics;
using ServerlessBert.Testing;

namespace ServerlessBert.Pipeline.Tests.Batches;

[Collection(AzuriteCollection.Name)]
public sealed class StorageCallsTests(AzuriteFixture azurite)
{
    [Fact]
    public async Task A_batch_in_the_middle_of_a_file_takes_four_storage_calls()
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        await world.PromoteAsync();
        await world.DropRowsAsync("a.jsonl", 10);
        await world.SplitAsync("a.jsonl");
        var messages = await world.TakeBatchesAsync();
        await world.ClassifyAsync(messages[0]); // loads the model

        var calls = new ConcurrentQueue<string>();
        using (new AzureEventSourceListener((data, text) =>
            { if (data.EventName == "Request") calls.Enqueue(text); }, EventLevel.Informational))
        {
            await world.ClassifyAsync(messages[1]);
        }

        Assert.Equal(4, calls.Count);
    }
}
