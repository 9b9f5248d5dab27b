using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Azure.Storage.Blobs;
using Azure.Storage.Queues;
using Azure.Storage.Queues.Models;
using ServerlessBert.Pipeline.Batches;
using ServerlessBert.Pipeline.Storage;

namespace ServerlessBert.Functions.Tests.Worker;

/// <summary>The real worker, in its process, does what the Functions host asks it to.</summary>
public sealed class WorkerTests(RunningWorker worker) : IClassFixture<RunningWorker>
{
    [Fact]
    public void The_worker_tells_the_host_of_every_function_and_its_trigger()
    {
        Assert.Equal("Success", worker.Initialized.GetProperty("result").GetProperty("status").GetString());
        Assert.Equal(
            [
                "ClassifyBatch queueTrigger", "DeadLetterBatch queueTrigger", "GetStatus httpTrigger", "Predict httpTrigger",
                "ScheduleRetraining timerTrigger", "SplitReviews queueTrigger", "SweepReviews timerTrigger",
            ],
            worker.Functions.Select(function =>
                $"{function.Key} {JsonDocument.Parse(function.Value.GetProperty("rawBindings")[0].GetString()!).RootElement.GetProperty("type").GetString()}").Order());
    }

    [Fact]
    public async Task A_dropped_file_goes_through_the_queue_functions_to_its_predictions()
    {
        BlobClient dropped = Storage.Container(StorageNames.Reviews).GetBlobClient("worker.jsonl");
        await dropped.UploadAsync(
            BinaryData.FromString("{\"text\":\"the food was great .\"}\n{\"text\":\"\"}\n{\"text\":\"bad service\"}\n"));

        Succeeds(await worker.InvokeAsync(
            "SplitReviews", QueuesModelFactory.QueueMessage(
            "1", "receipt", new ReviewFileMessage { Blob = BlobName.Parse("worker.jsonl") }.ToBody(), 1)));
        Succeeds(await worker.InvokeAsync("ClassifyBatch", await TakeAsync(StorageNames.ReviewBatches)));

        BinaryData predictions =
            (await Storage.Container(StorageNames.Predictions).GetBlobClient("worker.jsonl.jsonl").DownloadContentAsync()).Value.Content;
        JsonElement[] lines =
            [.. predictions.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonDocument.Parse(line).RootElement)];
        Assert.Equal([0, 1, 2], lines.Select(line => line.GetProperty("row").GetInt32()));
        Assert.InRange(lines[0].GetProperty("stars").GetInt32(), 1, 5);
        Assert.Equal("empty_text", lines[1].GetProperty("error").GetProperty("code").GetString());
    }

    [Fact]
    public async Task A_message_that_cannot_be_read_fails_its_invocation_so_that_the_host_keeps_it()
    {
        JsonElement response = await worker.InvokeAsync("ClassifyBatch", QueuesModelFactory.QueueMessage("1", "receipt", "no batch", 1));
        Assert.Equal("Failure", response.GetProperty("result").GetProperty("status").GetString());
        Assert.Contains(nameof(MessageFormatException), response.GetProperty("result").GetProperty("exception").ToString());
    }

    [Theory]
    [InlineData("SweepReviews")]
    [InlineData("ScheduleRetraining")]
    public async Task A_timers_function_runs(string function) => Succeeds(await worker.InvokeAsync(function, "timer", new JsonObject
    {
        ["json"] = """{"Schedule":{"AdjustForDST":true},"ScheduleStatus":null,"IsPastDue":false}""",
    }));

    [Fact]
    public async Task HTTP_functions_answer_what_the_host_forwards_to_them()
    {
        using HttpResponseMessage status = await worker.RequestAsync("GetStatus", HttpMethod.Get, "/api/status");
        Assert.Equal(HttpStatusCode.OK, status.StatusCode);
        Assert.Equal(StorageNames.Queues.Count,
            JsonDocument.Parse(await status.Content.ReadAsStringAsync()).RootElement.GetProperty("queues").GetArrayLength());

        using HttpResponseMessage predicted = await worker.RequestAsync("Predict", HttpMethod.Post, "/api/predict", new StringContent("""["good","bad"]""", Encoding.UTF8, "application/json"));
        Assert.Equal(HttpStatusCode.OK, predicted.StatusCode);
        Assert.Equal(2, JsonDocument.Parse(await predicted.Content.ReadAsStringAsync()).RootElement.GetArrayLength());

        using HttpResponseMessage refused = await worker.RequestAsync("Predict", HttpMethod.Post, "/api/predict", new StringContent("{"));
        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
        Assert.Contains("invalid_json", await refused.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Its_model_computes_in_oneDNNs_packed_layers_as_it_tells_the_host()
    {
        using HttpResponseMessage predicted = await worker.RequestAsync("Predict", HttpMethod.Post, "/api/predict", new StringContent("""["good"]""", Encoding.UTF8, "application/json"));

        Assert.Equal(HttpStatusCode.OK, predicted.StatusCode);
        Assert.Contains("packed layers", worker.Log);
        Assert.DoesNotContain("plain module tree", worker.Log);
    }

    private PipelineStorage Storage => worker.Storage;

    private async Task<QueueMessage> TakeAsync(string queue)
    {
        QueueClient client = Storage.Queue(queue);
        QueueMessage message = Assert.Single((await client.ReceiveMessagesAsync(10)).Value);
        await client.DeleteMessageAsync(message.MessageId, message.PopReceipt);
        return message;
    }

    private void Succeeds(JsonElement response)
    {
        Assert.True(response.GetProperty("result").GetProperty("status").GetString() == "Success", $"{response}\n{worker.Log}");
    }
}
