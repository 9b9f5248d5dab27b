using System.Text.Json;
using ServerlessBert.Pipeline.Batches;
using ServerlessBert.Pipeline.Predictions;
using ServerlessBert.Pipeline.Runs;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Testing;

namespace ServerlessBert.Pipeline.Tests.Batches;

[Collection(AzuriteCollection.Name)]
public sealed class FailingBatchTests(AzuriteFixture azurite)
{
    [Fact]
    public async Task A_batch_that_is_given_up_completes_its_file_with_error_rows_that_say_why()
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        await world.PromoteAsync();
        string etag = await world.DropAsync("a.jsonl", string.Concat(Enumerable.Range(0, 7)
            .Select(row => $$"""{"id":"r{{row}}","text":"{{(row == 4 ? "deadly" : "good")}}"}""" + "\n")));
        world.PoisonText = "deadly";
        await world.SplitAsync("a.jsonl");

        foreach (var message in await world.TakeBatchesAsync())
        {
            if (message.Batch.Index != 1)
            {
                await world.ClassifyAsync(message);
                continue;
            }
            for (int attempt = 1; attempt <= 5; attempt++)
                await Assert.ThrowsAsync<InvalidOperationException>(() => world.ClassifyAsync(message, attempt));
            await world.Get<BatchClassifier>().DeadLetterAsync(message);
        }

        JsonElement[] lines = OneRunTests.LinesOf(await world.PredictionsAsync("a.jsonl"));
        Assert.Equal(Enumerable.Range(0, 7).Select(row => $"r{row}"), lines.Select(line => line.GetProperty("id").GetString()));
        Assert.Equal([3, 4, 5], lines.Where(line => line.TryGetProperty("error", out _)).Select(line =>
            line.GetProperty("row").GetInt32()));
        var error = lines[3].GetProperty("error");
        Assert.Equal("batch_failed", error.GetProperty("code").GetString());
        Assert.Contains("failed 5 times", error.GetProperty("message").GetString());
        Assert.Contains("The text is poison.", error.GetProperty("message").GetString());
        Assert.DoesNotContain("details", error.GetProperty("message").GetString());
        Assert.Equal(3, (await world.RunOfAsync("a.jsonl", etag)).ErrorRows);
    }

    [Fact]
    public async Task A_poisoned_message_does_not_undo_a_batch_that_succeeded()
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        await world.PromoteAsync();
        await world.DropRowsAsync("a.jsonl", 7);
        await world.SplitAsync("a.jsonl");
        var messages = await world.TakeBatchesAsync();
        await world.ClassifyAsync(messages[0]);

        await world.Get<BatchClassifier>().DeadLetterAsync(messages[0]);
        foreach (var message in messages.Skip(1)) await world.ClassifyAsync(message);
        await world.Get<BatchClassifier>().DeadLetterAsync(messages[2]);

        Assert.DoesNotContain("error", await world.PredictionsAsync("a.jsonl"));
    }

    [Fact]
    public async Task A_worker_that_died_after_the_commit_leaves_a_run_that_the_next_delivery_publishes()
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        await world.PromoteAsync();
        string etag = await world.DropRowsAsync("a.jsonl", 7);
        await world.SplitAsync("a.jsonl");
        var messages = await world.TakeBatchesAsync();
        foreach (var message in messages.SkipLast(1)) await world.ClassifyAsync(message);
        // All but the last are staged; the last one's lines too, and the commit is made, by a worker that dies then.
        var staged = new StagedBatches(world.Storage, RunId.Compute("a.jsonl", etag));
        await staged.StageAsync(messages[2].Block, System.Text.Encoding.UTF8.GetBytes("{\"row\":6}\n"), new BatchStatistics { Rows = 1 },
            default);
        await staged.CommitStatisticsAsync([.. messages.Select(message => message.Block)], default);
        await staged.CommitPredictionsAsync([.. messages.Select(message => message.Block)], default);
        Assert.Null(await world.PredictionsAsync("a.jsonl"));

        await world.ClassifyAsync(messages[2], dequeueCount: 2);

        Assert.Equal(7, OneRunTests.LinesOf(await world.PredictionsAsync("a.jsonl")).Length);
        Assert.Equal(RunState.Done, (await world.RunOfAsync("a.jsonl", etag)).State);
    }

    [Fact]
    public async Task A_model_that_is_gone_fails_the_batch_and_the_rows_say_so()
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        string model = await world.PromoteAsync();
        await world.DropRowsAsync("a.jsonl", 3);
        await world.SplitAsync("a.jsonl");
        await world.Storage.Container(StorageNames.Models).DeleteBlobAsync($"{model}/manifest.json");
        var message = Assert.Single(await world.TakeBatchesAsync());

        await Assert.ThrowsAsync<Pipeline.Models.ModelUnavailableException>(() => world.ClassifyAsync(message));
        await world.Get<BatchClassifier>().DeadLetterAsync(message);

        Assert.All(OneRunTests.LinesOf(await world.PredictionsAsync("a.jsonl")), line =>
            Assert.Contains(model, line.GetProperty("error").GetProperty("message").GetString()));
    }

    [Fact]
    public async Task A_batch_whose_worker_is_stopped_is_not_a_failure()
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        await world.PromoteAsync();
        string etag = await world.DropRowsAsync("a.jsonl", 3);
        await world.SplitAsync("a.jsonl");
        var message = Assert.Single(await world.TakeBatchesAsync());

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            world.Get<BatchClassifier>().ClassifyAsync(message, 1, new CancellationToken(canceled: true)));

        Assert.False(await new RunBlobs(world.Storage, RunId.Compute("a.jsonl", etag)).Failure(0).ExistsAsync());
    }
}
