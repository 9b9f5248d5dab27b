using System.IO.Compression;
using System.Text;
using System.Text.Json;
using ServerlessBert.Pipeline.Batches;
using ServerlessBert.Pipeline.Runs;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Testing;

namespace ServerlessBert.Pipeline.Tests.Batches;

[Collection(AzuriteCollection.Name)]
public sealed class OneRunTests(AzuriteFixture azurite)
{
    [Fact]
    public async Task A_dropped_file_gets_a_prediction_for_every_row_in_order_and_a_summary()
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        string model = await world.PromoteAsync();
        string etag = await world.DropRowsAsync("2026/a b.jsonl", 8);

        await world.ProcessAsync("2026/a b.jsonl");

        JsonElement[] lines = LinesOf(await world.PredictionsAsync("2026/a b.jsonl"));
        Assert.Equal(Enumerable.Range(0, 8).Select(row => (row, $"r{row}", model)), lines.Select(line =>
            (line.GetProperty("row").GetInt32(), line.GetProperty("id").GetString()!, line.GetProperty("model").GetString()!)));
        var run = await world.RunOfAsync("2026/a b.jsonl", etag);
        Assert.Equal((RunState.Done, 3, 3, 8L, 0L), (run.State, run.Batches!.Value, run.Staged, run.Rows!.Value, run.ErrorRows!.Value));
        var summary = JsonDocument.Parse((await world.SummaryAsync("2026/a b.jsonl"))!).RootElement;
        Assert.Equal((8, "done", run.Id, etag),
            (summary.GetProperty("rows").GetInt32(), summary.GetProperty("state").GetString(), summary.GetProperty("run").GetString(),
                summary.GetProperty("etag").GetString()));
        Assert.Equal(8, summary.GetProperty("labelled").GetInt32());
    }

    [Fact]
    public async Task Batches_that_end_out_of_order_give_the_same_file_which_is_not_seen_before_the_last()
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        await world.PromoteAsync();
        await world.DropRowsAsync("a.jsonl", 10);
        await world.DropRowsAsync("b.jsonl", 10);
        await world.ProcessAsync("a.jsonl");

        await world.SplitAsync("b.jsonl");
        var messages = await world.TakeBatchesAsync();
        foreach (var message in messages.AsEnumerable().Reverse())
        {
            Assert.Null(await world.PredictionsAsync("b.jsonl"));
            await world.ClassifyAsync(message);
        }

        Assert.Equal(await world.PredictionsAsync("a.jsonl"), await world.PredictionsAsync("b.jsonl"));
    }

    [Fact]
    public async Task Every_message_twice_and_two_at_once_give_the_same_bytes()
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        await world.PromoteAsync();
        await world.DropRowsAsync("once.jsonl", 10);
        await world.ProcessAsync("once.jsonl");
        await world.DropRowsAsync("twice.jsonl", 10);

        await Task.WhenAll(world.SplitAsync("twice.jsonl"), world.SplitAsync("twice.jsonl"));
        await world.SplitAsync("twice.jsonl");
        var messages = await world.TakeBatchesAsync();
        Assert.InRange(messages.Count, 4, 8);
        await Task.WhenAll(messages.Concat(messages).Select(message => world.ClassifyAsync(message, 2)));
        string? predictions = await world.PredictionsAsync("twice.jsonl");
        foreach (var message in messages) await world.ClassifyAsync(message, 3);

        Assert.Equal(await world.PredictionsAsync("once.jsonl"), predictions);
        Assert.Equal(predictions, await world.PredictionsAsync("twice.jsonl"));
        Assert.Empty(await world.TakeBatchesAsync());
    }

    [Fact]
    public async Task One_file_is_answered_by_the_model_that_was_live_when_it_was_split()
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        string old = await world.PromoteAsync(1);
        await world.DropRowsAsync("a.jsonl", 7);
        await world.SplitAsync("a.jsonl");
        await world.PromoteAsync(2);

        foreach (var message in await world.TakeBatchesAsync()) await world.ClassifyAsync(message);

        Assert.All(LinesOf(await world.PredictionsAsync("a.jsonl")), line => Assert.Equal(old, line.GetProperty("model").GetString()));
    }

    [Fact]
    public async Task A_compressed_file_and_one_in_UTF_16_give_what_the_plain_one_gives()
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        await world.PromoteAsync();
        string content = string.Concat(Enumerable.Range(0, 10).Select(PipelineWorld.LineOf));
        await world.DropAsync("plain.jsonl", content);
        await world.DropAsync("packed.jsonl.gz", Gzip(content));
        await world.DropAsync("wide.jsonl", [.. Encoding.Unicode.GetPreamble(), .. Encoding.Unicode.GetBytes(content)]);

        foreach (string name in new[] { "plain.jsonl", "packed.jsonl.gz", "wide.jsonl" }) await world.ProcessAsync(name);

        Assert.Equal(10, LinesOf(await world.PredictionsAsync("plain.jsonl")).Length);
        Assert.Equal(await world.PredictionsAsync("plain.jsonl"), await world.PredictionsAsync("packed.jsonl.gz"));
        Assert.Equal(await world.PredictionsAsync("plain.jsonl"), await world.PredictionsAsync("wide.jsonl"));
    }

    [Fact]
    public async Task A_row_without_text_keeps_its_place_as_an_error()
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        await world.PromoteAsync();
        await world.DropAsync("a.jsonl", """
            {"id":"x","text":"good"}
            {"id":"y"}
            not json
            {"id":"z","text":"bad"}

            """);

        await world.ProcessAsync("a.jsonl");

        JsonElement[] lines = LinesOf(await world.PredictionsAsync("a.jsonl"));
        Assert.Equal([false, true, true, false], lines.Select(line => line.TryGetProperty("error", out _)));
        Assert.Equal("missing_text", lines[1].GetProperty("error").GetProperty("code").GetString());
    }

    [Fact]
    public async Task A_file_without_rows_gets_an_empty_predictions_file()
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        await world.PromoteAsync();
        string etag = await world.DropAsync("empty.txt", "\n\n");

        await world.ProcessAsync("empty.txt");

        Assert.Equal("", await world.PredictionsAsync("empty.txt"));
        Assert.Equal(RunState.Done, (await world.RunOfAsync("empty.txt", etag)).State);
    }

    [Theory]
    [InlineData("a.csv", "name,place\nx,y\n", "no_text_column")]
    [InlineData("a.txt", "", "empty_file")]
    [InlineData("a.pdf", "%PDF", "unknown_format")]
    public async Task A_file_that_cannot_be_read_fails_with_its_reason_in_the_summary_and_no_predictions(string name, string content,
        string code)
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        await world.PromoteAsync();
        string etag = await world.DropAsync(name, content);

        await world.ProcessAsync(name);

        var run = await world.RunOfAsync(name, etag);
        Assert.Equal((RunState.Failed, code), (run.State, run.ErrorCode));
        Assert.Contains(code, await world.SummaryAsync(name));
        Assert.Null(await world.PredictionsAsync(name));
    }

    [Fact]
    public async Task Without_a_live_model_a_file_waits_and_is_taken_up_later()
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        string etag = await world.DropRowsAsync("a.jsonl", 2);

        await world.ProcessAsync("a.jsonl");
        Assert.Null(await world.Get<RunStore>().TryReadAsync(RunId.Compute("a.jsonl", etag)));

        await world.PromoteAsync();
        await world.ProcessAsync("a.jsonl");
        Assert.Equal(2, LinesOf(await world.PredictionsAsync("a.jsonl")).Length);
    }

    [Fact]
    public async Task A_file_that_is_gone_and_an_event_about_something_else_are_done_with()
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        await world.PromoteAsync();

        await world.SplitAsync("never.jsonl");
        await world.Get<FileSplitter>().SplitAsync(null);

        Assert.Empty(await world.TakeBatchesAsync());
    }

    [Fact]
    public async Task A_run_can_be_followed_from_the_drop_to_its_end()
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        await world.PromoteAsync();
        string etag = await world.DropRowsAsync("a.jsonl", 7);
        var seen = new List<string>();

        await foreach (var progress in world.Get<RunStore>().FollowAsync("a.jsonl", etag, TimeSpan.FromMilliseconds(1)))
        {
            seen.Add(progress is null ? "none" : $"{progress.Run.State} {progress.Staged}/{progress.Run.Batches}");
            if (seen.Count == 1) await world.SplitAsync("a.jsonl");
            else if ((await world.TakeBatchesAsync()) is { Count: > 0 } messages)
                foreach (var message in messages) await world.ClassifyAsync(message);
        }

        Assert.Equal(["none", "Classifying 0/3", "Done 3/3"], seen);
    }

    internal static JsonElement[] LinesOf(string? predictions) =>
        [.. predictions!.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement)];

    private static byte[] Gzip(string content)
    {
        var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest)) gzip.Write(Encoding.UTF8.GetBytes(content));
        return packed.ToArray();
    }
}
