using System.Collections.Concurrent;
using System.CommandLine;
using System.Diagnostics.Tracing;
using System.Text.RegularExpressions;
using Azure.Core.Diagnostics;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using ServerlessBert.Pipeline.Batches;
using ServerlessBert.Pipeline.Models;
using ServerlessBert.Pipeline.Operations;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Testing;

namespace ServerlessBert.Benchmarks;

/// <summary><c>calls</c>: the storage calls of a batch and of a whole file, on an Azurite of its own.</summary>
internal static partial class CallsBenchmark
{
    private const int Batches = 40;

    public static Command Command()
    {
        var command = new Command("calls", "Storage calls a batch and a file; the queue's own receive and delete come on top.");
        command.SetAction((_, cancellationToken) => RunAsync(cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        var azurite = new AzuriteFixture();
        DirectoryInfo folder = Directory.CreateTempSubdirectory("calls-");
        await azurite.InitializeAsync();
        try
        {
            await using ServiceProvider services = Services(azurite.ConnectionString);
            await MeasureAsync(services, folder.FullName, cancellationToken);
        }
        finally
        {
            await azurite.DisposeAsync();
            folder.Delete(recursive: true);
        }
        return 0;
    }

    private static ServiceProvider Services(string connection)
    {
        IConfiguration settings = new ConfigurationBuilder().AddInMemoryCollection(
        [
            new(PipelineStorage.ConnectionSection, connection),
            new("ServerlessBert:Reviews:BatchRows", "4"),
            new("ServerlessBert:Runs:FinishTail", "4"),
        ]).Build();
        return new ServiceCollection().AddReviewPipeline(settings).BuildServiceProvider();
    }

    private static async Task MeasureAsync(IServiceProvider services, string folder, CancellationToken cancellationToken)
    {
        var storage = services.GetRequiredService<PipelineStorage>();
        await storage.CreateAsync(cancellationToken);
        var registry = services.GetRequiredService<ModelRegistry>();
        ModelManifest model = await registry.PublishAsync(SmallModels.Save(folder), cancellationToken: cancellationToken);
        await registry.PromoteAsync(model.Version, "a benchmark", cancellationToken: cancellationToken);
        (await services.GetRequiredService<ModelCache>().AcquireAsync(null, cancellationToken)).Dispose();
        string lines = string.Concat(
            Enumerable.Range(0, Batches * 4).Select(row => $"{{\"text\":\"the food was {SmallModels.WordsByStars[row % 5]}\"}}\n"));
        await storage.Container(StorageNames.Reviews).GetBlobClient("a.jsonl").UploadAsync(new BinaryData(lines), cancellationToken);

        Console.WriteLine($"Storage calls of a file of {Batches} batches, {DateTime.UtcNow:yyyy-MM-dd}, Azurite\n");
        Console.WriteLine("| step | calls | which |");
        Console.WriteLine("| --- | ---: | --- |");
        await CountAsync(
            "splitting, all batches' messages among them", () =>
            services.GetRequiredService<FileSplitter>()
            .SplitAsync(new ReviewFileMessage { Blob = BlobName.Parse("a.jsonl") }, cancellationToken));
        var queue = storage.Queue(StorageNames.ReviewBatches);
        var messages = new List<ReviewBatchMessage>();
        while ((await queue.ReceiveMessagesAsync(32, cancellationToken: cancellationToken)).Value is { Length: > 0 } received)
            messages.AddRange(received.Select(message => ReviewBatchMessage.Parse(message.Body)));
        messages.Sort((left, right) => left.Batch.Index.CompareTo(right.Batch.Index));
        var classifying = services.GetRequiredService<BatchClassifier>();
        await CountAsync("a batch in the middle", () => classifying.ClassifyAsync(messages[0], 1, cancellationToken));
        foreach (ReviewBatchMessage message in messages[1..^2]) await classifying.ClassifyAsync(message, 1, cancellationToken);
        await CountAsync(
            "one of the last, which asks whether all are staged", () => classifying.ClassifyAsync(messages[^2], 1, cancellationToken));
        await CountAsync("the last, which commits and publishes", () => classifying.ClassifyAsync(messages[^1], 1, cancellationToken));
    }

    private static async Task CountAsync(string step, Func<Task> work)
    {
        var calls = new ConcurrentQueue<string>();
        using (new AzureEventSourceListener(
            (data, text) => { if (data.EventName == "Request") calls.Enqueue(Describe(text)); }, EventLevel.Informational)) await work();
        Console.WriteLine(
            $"| {step} | {calls.Count} | "
                + string.Join(", ", calls.GroupBy(call => call)
                    .Select(group => group.Count() > 1 ? $"{group.Count()} × {group.Key}" : group.Key)) + " |");
    }

    // "Request [id] GET http://host:port/account/container/blob?comp=block&…": the method, and what of the blob is meant.
    private static string Describe(string request)
    {
        Match match = Request().Match(request);
        string part = match.Groups["part"].Value;
        return part.Length > 0 ? $"{match.Groups["method"].Value} {part}" : match.Groups["method"].Value;
    }

    [GeneratedRegex(@"\] (?<method>[A-Z]+) \S*?(comp=(?<part>[a-z]+)\S*)?(\s|$)")]
    private static partial Regex Request();
}
