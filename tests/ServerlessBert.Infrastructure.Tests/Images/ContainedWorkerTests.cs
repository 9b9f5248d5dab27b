using System.Net;
using System.Text;
using System.Text.Json;
using Azure.Storage.Queues.Models;
using ServerlessBert.Pipeline.Batches;
using ServerlessBert.Pipeline.Storage;

namespace ServerlessBert.Infrastructure.Tests;

/// <summary>What is published starts and works under the constraints that infra/kubernetes puts on it.</summary>
[Collection(FunctionsImage.Collection)]
public sealed class ContainedWorkerTests(ContainedWorker worker) : IClassFixture<ContainedWorker>
{
    [ContainedFact]
    public void It_is_user_1654_on_a_read_only_root_without_a_home()
    {
        Assert.Contains("Uid:\t1654\t1654\t1654\t1654", worker.Proc("status"), StringComparison.Ordinal);
        Assert.Matches(@"(?m)^\S+ / \S+ ro[, ]", worker.Proc("mounts"));
        Assert.DoesNotContain(worker.Proc("environ").Split('\0'), variable => variable.StartsWith("HOME=", StringComparison.Ordinal));
    }

    [ContainedFact]
    public void It_tells_the_host_of_every_function() =>
        Assert.Equal(["ClassifyBatch", "DeadLetterBatch", "GetStatus", "Predict", "ScheduleRetraining", "SplitReviews", "SweepReviews"],
            worker.Functions.Keys.Order());

    [ContainedFact]
    public async Task A_dropped_file_is_split_and_classified()
    {
        var dropped = worker.Storage.Container(StorageNames.Reviews).GetBlobClient("contained.jsonl");
        await dropped.UploadAsync(BinaryData.FromString("{\"text\":\"the food was great .\"}\n{\"text\":\"bad service\"}\n"));
        Succeeds(await worker.InvokeAsync(
            "SplitReviews", QueuesModelFactory.QueueMessage(
            "1", "receipt", new ReviewFileMessage { Blob = BlobName.Parse("contained.jsonl") }.ToBody(), 1)));
        QueueMessage batch = Assert.Single((await worker.Storage.Queue(StorageNames.ReviewBatches).ReceiveMessagesAsync(10)).Value);
        Succeeds(await worker.InvokeAsync("ClassifyBatch", batch));
        string predictions =
            (await worker.Storage.Container(StorageNames.Predictions).GetBlobClient("contained.jsonl.jsonl")
            .DownloadContentAsync()).Value.Content.ToString();
        Assert.Equal(2, predictions.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }

    [ContainedFact]
    public async Task It_answers_over_HTTP()
    {
        using var predicted = await worker.RequestAsync("Predict", HttpMethod.Post, "/api/predict", new StringContent("""["good","bad"]""", Encoding.UTF8, "application/json"));
        Assert.Equal(HttpStatusCode.OK, predicted.StatusCode);
        Assert.Equal(2, JsonDocument.Parse(await predicted.Content.ReadAsStringAsync()).RootElement.GetArrayLength());
    }

    private void Succeeds(JsonElement response) =>
        Assert.True(response.GetProperty("result").GetProperty("status").GetString() == "Success", $"{response}\n{worker.Log}");
}
