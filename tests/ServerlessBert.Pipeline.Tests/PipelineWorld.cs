using System.Text;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Queues.Models;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using ServerlessBert.Modeling.Inference;
using ServerlessBert.Modeling.Tokenization;
using ServerlessBert.Pipeline.Batches;
using ServerlessBert.Pipeline.Models;
using ServerlessBert.Pipeline.Operations;
using ServerlessBert.Pipeline.Runs;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Testing;

namespace ServerlessBert.Pipeline.Tests;

/// <summary>
/// A pipeline on storage of its own, with small real models and a clock that can be put forward. Messages are
/// delivered by hand, so that a test can lose, repeat and reorder them.
/// </summary>
internal sealed class PipelineWorld : IAsyncDisposable
{
    public const int BatchRows = 3;

    private readonly ServiceProvider _services;
    private readonly string _folder = Directory.CreateTempSubdirectory("pipeline-world-").FullName;

    private PipelineWorld(string connection, PipelineStorage? storage, IEnumerable<KeyValuePair<string, string?>> settings)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(
        [
            new(PipelineStorage.ConnectionSection, connection),
            new(PipelineStorage.PrefixKey, AzuriteFixture.NewPrefix()),
            new("ServerlessBert:Reviews:BatchRows", $"{BatchRows}"),
            new("ServerlessBert:Runs:Grace", "00:00:00"),
            new("ServerlessBert:Models:Linger", "00:00:00"),
            new("ServerlessBert:Models:TemporaryFolder", Path.Combine(_folder, "downloads")),
        ]).AddInMemoryCollection(settings).Build();
        var services = new ServiceCollection();
        if (storage is not null) services.AddSingleton(storage);
        _services = services
            .AddSingleton<TimeProvider>(Clock)
            .AddSingleton<LoadClassifier>((folder, _) => Load(folder))
            .AddReviewPipeline(configuration)
            .BuildServiceProvider();
    }

    public TestClock Clock { get; } = new();

    /// <summary>How many models were loaded.</summary>
    public int Loads => _loads;

    /// <summary>How many of them were freed.</summary>
    public int Freed => _freed;

    /// <summary>Awaited before a model is loaded.</summary>
    public Task LoadGate { get; set; } = Task.CompletedTask;

    /// <summary>What loading a model throws on this host; null where it works.</summary>
    public Exception? LoadFailure { get; set; }

    /// <summary>Awaited before a batch is computed.</summary>
    public Task ComputeGate { get; set; } = Task.CompletedTask;

    /// <summary>How many batches were tokenized, computed or not.</summary>
    public int Tokenized => Volatile.Read(ref _tokenized);

    /// <summary>A text that makes the classifier throw.</summary>
    public string? PoisonText { get; set; }

    public PipelineStorage Storage => Get<PipelineStorage>();

    public string DownloadFolder => Path.Combine(_folder, "downloads");

    private int _loads, _freed, _tokenized;

    /// <summary>The cache of a host that starts now, on the same storage.</summary>
    public ModelCache NewCache(PipelineStorage? through = null, LoadClassifier? load = null, InferenceOptions? options = null) => new(
        through is null ? Get<ModelRegistry>() : new ModelRegistry(through, Clock),
        new ModelDtypes(through ?? Storage, options ?? Get<InferenceOptions>(), Clock),
        Get<ModelCacheOptions>(),
        load ?? ((folder, _) => Load(folder)),
        Clock,
        Get<Microsoft.Extensions.Logging.ILogger<ModelCache>>());

    public static Task<PipelineWorld> StartAsync(AzuriteFixture azurite, params KeyValuePair<string, string?>[] settings) =>
        StartAsync(azurite, null, settings);

    /// <summary>The same on storage that a test made, as one whose calls fail.</summary>
    public static async Task<PipelineWorld> StartAsync(AzuriteFixture azurite, PipelineStorage? storage,
        params KeyValuePair<string, string?>[] settings)
    {
        var world = new PipelineWorld(azurite.ConnectionString, storage, settings);
        await world.Storage.CreateAsync();
        return world;
    }

    /// <summary>Another host on this one's storage, with settings of its own.</summary>
    public Task<PipelineWorld> StartBesideAsync(AzuriteFixture azurite, params KeyValuePair<string, string?>[] settings) =>
        StartAsync(azurite, null, [new(PipelineStorage.PrefixKey, Storage.Prefix), .. settings]);

    public T Get<T>()
        where T : notnull => _services.GetRequiredService<T>();

    /// <summary>Publishes a small model and makes it live.</summary>
    public async Task<string> PromoteAsync(long seed = 1) =>
        (await Get<ModelRegistry>().PromoteAsync(await PublishAsync(seed), "a test")).Version;

    public async Task<string> PublishAsync(long seed = 1)
    {
        Clock.Advance(TimeSpan.FromSeconds(1));
        return (await Get<ModelRegistry>().PublishAsync(SmallModels.Save(_folder, seed))).Version;
    }

    /// <summary>Drops a file and gives its ETag.</summary>
    public async Task<string> DropAsync(string name, byte[] content)
    {
        BlobContentInfo dropped = await Storage.Container(StorageNames.Reviews).GetBlobClient(name)
            .UploadAsync(new BinaryData(content), overwrite: true);
        return ETags.Unquote(dropped.ETag);
    }

    public Task<string> DropAsync(string name, string content) => DropAsync(name, Encoding.UTF8.GetBytes(content));

    public Task<string> DropRowsAsync(string name, int rows) => DropAsync(name, string.Concat(Enumerable.Range(0, rows).Select(LineOf)));

    public static string LineOf(int row)
    {
        string text = $"the food was {SmallModels.WordsByStars[row % 5]} {new string('a', row % 7)}";
        return $$"""{"id":"r{{row}}","text":"{{text}}","stars":{{(row % 5) + 1}}}""" + "\n";
    }

    public Task SplitAsync(string name, string? etag = null) =>
        Get<FileSplitter>().SplitAsync(new ReviewFileMessage { Blob = BlobName.Parse(name), ETag = etag });

    public Task ClassifyAsync(ReviewBatchMessage message, long dequeueCount = 1) =>
        Get<BatchClassifier>().ClassifyAsync(message, dequeueCount);

    /// <summary>Delivers a batch as the queue does, with what becomes of it after a failure.</summary>
    public Task DeliverAsync(ReviewBatchMessage message, long dequeueCount = 1, CancellationToken stopping = default) =>
        Get<BatchDelivery>().HandleAsync(message, dequeueCount, stopping);

    /// <summary>Takes every message out of a queue.</summary>
    public async Task<List<BinaryData>> TakeAsync(string queue)
    {
        var client = Storage.Queue(queue);
        var bodies = new List<BinaryData>();
        while (await client.ReceiveMessagesAsync(32) is { Value: { Length: > 0 } messages })
        {
            foreach (QueueMessage message in messages)
            {
                bodies.Add(message.Body);
                await client.DeleteMessageAsync(message.MessageId, message.PopReceipt);
            }
        }
        return bodies;
    }

    public async Task<List<ReviewBatchMessage>> TakeBatchesAsync() =>
        [.. (await TakeAsync(StorageNames.ReviewBatches)).Select(ReviewBatchMessage.Parse).OrderBy(message => message.Batch.Index)];

    public async Task<List<ReviewFileMessage>> TakeFilesAsync() =>
        [.. (await TakeAsync(StorageNames.ReviewFiles)).Select(body => ReviewFileMessage.Parse(body)!)];

    /// <summary>Splits a file and classifies all its batches, as workers that never fail would.</summary>
    public async Task ProcessAsync(string name)
    {
        await SplitAsync(name);
        foreach (var message in await TakeBatchesAsync()) await ClassifyAsync(message);
    }

    public async Task<Run> RunOfAsync(string name, string etag) => (await Get<RunStore>().TryReadAsync(RunId.Compute(name, etag)))!;

    public async Task<string?> PublishedAsync(string name)
    {
        var content = await Storage.Container(StorageNames.Predictions).GetBlobClient(name).TryDownloadAsync(default);
        return content?.Content.ToString();
    }

    public Task<string?> PredictionsAsync(string name) => PublishedAsync(name + ".jsonl");

    public Task<string?> SummaryAsync(string name) => PublishedAsync(name + ".summary.json");

    public async ValueTask DisposeAsync()
    {
        await _services.DisposeAsync();
        await DeleteAsync(_folder);
    }

    // A model that was still being loaded removes its own files meanwhile.
    private static async Task DeleteAsync(string folder)
    {
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                Directory.Delete(folder, recursive: true);
                return;
            }
            catch (IOException) when (attempt < 20)
            {
                if (!Directory.Exists(folder)) return;
                await Task.Delay(50);
            }
        }
    }

    private CountedClassifier Load(string folder)
    {
        LoadGate.Wait();
        if (LoadFailure is { } failure) throw failure;
        Interlocked.Increment(ref _loads);
        return new CountedClassifier(this,
            ReviewClassifier.Load(folder, new InferenceOptions { Dtype = InferenceDtype.Float32, Threads = 1 }));
    }

    private sealed class CountedClassifier(PipelineWorld world, ReviewClassifier classifier) : IReviewClassifier
    {
        public string Dtype => classifier.Dtype;

        public IReadOnlyList<EncodedText> Tokenize(IReadOnlyList<string> texts)
        {
            Interlocked.Increment(ref world._tokenized);
            return world.PoisonText is { } poison && texts.Any(text => text.Contains(poison, StringComparison.Ordinal))
                ? throw new InvalidOperationException("The text is poison.\nWith details.")
                : classifier.Tokenize(texts);
        }

        public IReadOnlyList<Classification> Classify(IReadOnlyList<EncodedText> texts, CancellationToken cancellationToken = default)
        {
            world.ComputeGate.Wait(cancellationToken);
            return classifier.Classify(texts, cancellationToken);
        }

        public void Dispose()
        {
            Interlocked.Increment(ref world._freed);
            classifier.Dispose();
        }
    }
}

/// <summary>The system's clock, put forward.</summary>
internal sealed class TestClock : TimeProvider
{
    private TimeSpan _ahead;

    public void Advance(TimeSpan by) => _ahead += by;

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + _ahead;
}
