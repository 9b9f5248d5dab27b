using Azure;
using Azure.Storage.Blobs.Models;
using ServerlessBert.Pipeline.Batches;
using ServerlessBert.Pipeline.Runs;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Testing;

namespace ServerlessBert.Pipeline.Tests.Batches;

/// <summary>Files and storage as nobody wants them, on their whole way.</summary>
[Collection(AzuriteCollection.Name)]
public sealed class OddInputsTests(AzuriteFixture azurite)
{
    [Theory]
    [InlineData("empty-lines.txt", '\n', 1_000_000)]
    [InlineData("empty-lines.jsonl", '\n', 1_000_000)]
    public async Task A_million_empty_lines_end_as_done_with_no_rows(string name, char line, int count) =>
        await EndsEmptyAsync(name, new string(line, count));

    [Theory]
    [InlineData("header.csv", "id,text\n")]
    [InlineData("header.tsv", "text\tstars")]
    public async Task A_header_alone_ends_as_done_with_no_rows(string name, string content) => await EndsEmptyAsync(name, content);

    [Fact]
    public async Task A_parquet_file_is_classified_row_by_row()
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        string model = await world.PromoteAsync();
        string etag = await world.DropAsync("a.parquet",
            await ParquetFiles.WriteAsync([.. Enumerable.Range(0, 10).Select(row =>
                ((string?)(row == 4 ? null : $"the food was {SmallModels.WordsByStars[row % 5]}"), (long?)(row % 5)))], groupRows: 4));
        await world.ProcessAsync("a.parquet");

        var lines = OneRunTests.LinesOf(await world.PredictionsAsync("a.parquet"));
        Assert.Equal(Enumerable.Range(0, 10), lines.Select(line => line.GetProperty("row").GetInt32()));
        Assert.Equal("missing_text", lines[4].GetProperty("error").GetProperty("code").GetString());
        Assert.Equal(9, lines.Count(line => line.TryGetProperty("model", out var by) && by.GetString() == model));
        Assert.Contains("\"accuracy\"", await world.SummaryAsync("a.parquet"), StringComparison.Ordinal);
        Assert.Equal((RunState.Done, 10L, true), await world.RunOfAsync("a.parquet", etag) is var run
            ? (run.State, run.Rows, run.IsRewritten) : default);
    }

    [Fact]
    public async Task A_parquet_file_that_is_none_fails_with_its_reason()
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        await world.PromoteAsync();
        string etag = await world.DropAsync("a.parquet", "PAR1 and nothing more");
        await world.ProcessAsync("a.parquet");
        Assert.Equal((RunState.Failed, "damaged_parquet"), await world.RunOfAsync("a.parquet", etag) is var run
            ? (run.State, run.ErrorCode) : default);
    }

    [Fact]
    public async Task A_file_deleted_between_drop_and_split_begins_no_run()
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        await world.PromoteAsync();
        string etag = await world.DropRowsAsync("a.jsonl", 3);
        await world.Storage.Container(StorageNames.Reviews).DeleteBlobAsync("a.jsonl");

        await world.SplitAsync("a.jsonl", etag);

        Assert.Empty(await world.TakeBatchesAsync());
        Assert.Null(await world.Get<RunStore>().TryReadAsync(RunId.Compute("a.jsonl", etag)));
    }

    [Fact]
    public async Task A_container_that_does_not_exist_is_an_error_that_goes_with_it()
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        await world.PromoteAsync();
        await world.Storage.Container(StorageNames.Reviews).DeleteAsync();

        await world.SplitAsync("a.jsonl");
        var missing = await Assert.ThrowsAsync<RequestFailedException>(() => world.Get<RunSweep>().SweepAsync());
        Assert.Equal(BlobErrorCode.ContainerNotFound, missing.ErrorCode);

        await world.Storage.CreateAsync();
        await world.DropRowsAsync("a.jsonl", 3);
        await world.ProcessAsync("a.jsonl");
        Assert.Equal(3, OneRunTests.LinesOf(await world.PredictionsAsync("a.jsonl")).Length);
    }

    [Fact]
    public async Task The_next_batch_is_tokenized_while_one_computes()
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        await world.PromoteAsync();
        await world.DropRowsAsync("a.jsonl", 6);
        await world.SplitAsync("a.jsonl");
        var messages = await world.TakeBatchesAsync();
        await world.ClassifyAsync(messages[0]); // loads the model
        int before = world.Tokenized;
        var gate = new TaskCompletionSource();
        world.ComputeGate = gate.Task;

        Task both = Task.WhenAll(messages.Select(message => world.ClassifyAsync(message)));
        for (int wait = 0; wait < 500 && world.Tokenized < before + 2; wait++) await Task.Delay(20);

        Assert.Equal(before + 2, world.Tokenized);
        Assert.False(both.IsCompleted);
        gate.SetResult();
        await both;
    }

    private async Task EndsEmptyAsync(string name, string content)
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        await world.PromoteAsync();
        string etag = await world.DropAsync(name, content);
        await world.ProcessAsync(name);
        Assert.Equal("", await world.PredictionsAsync(name));
        Assert.Equal((RunState.Done, 0L, 0), await world.RunOfAsync(name, etag) is var run ? (run.State, run.Rows, run.Batches) : default);
    }
}
