using Azure.Storage.Blobs.Models;
using Azure.Storage.Queues.Models;
using ServerlessBert.Pipeline.Batches;
using ServerlessBert.Pipeline.Models;
using ServerlessBert.Pipeline.Runs;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Testing;

namespace ServerlessBert.Cli.Tests.Faults;

/// <summary>An Azurite of its own, two hosts, and the faults that can be done to them.</summary>
internal sealed class FaultWorld : IAsyncDisposable
{
    private const int HostCount = 2;
    private static readonly string[] Queues = [StorageNames.ReviewFiles, StorageNames.ReviewBatches, StorageNames.ReviewBatches];

    private readonly AzuriteFixture _azurite = new();
    private readonly TemporaryFolder _folder = new();
    private readonly Random _random;
    private readonly Dictionary<string, Drop> _drops = [];

    private FaultWorld(int seed) => _random = new Random(seed);

    public HostProcesses Hosts { get; private set; } = null!;

    public PipelineStorage Storage { get; private set; } = null!;

    /// <summary>What stands between hosts and storage, where something does.</summary>
    public StorageProxy? Proxy { get; private set; }

    /// <summary>The last drop of every file.</summary>
    public IReadOnlyCollection<Drop> Drops => _drops.Values;

    /// <summary>Starts Azurite, publishes a model, starts the hosts.</summary>
    /// <param name="seed">Decides files.</param>
    /// <param name="isBehindProxy">Whether the hosts reach storage through a <see cref="Proxy"/>; the test itself does not.</param>
    public static async Task<FaultWorld> StartAsync(int seed, bool isBehindProxy = false)
    {
        var world = new FaultWorld(seed);
        await world._azurite.InitializeAsync();
        world.Storage = PipelineStorage.FromConnectionString(world._azurite.ConnectionString);
        await world.Storage.CreateAsync();
        var registry = new ModelRegistry(world.Storage);
        ModelManifest model = await registry.PublishAsync(SmallModels.Save(world._folder.Path));
        await registry.PromoteAsync(model.Version, "a test");
        if (isBehindProxy) world.Proxy = StorageProxy.Start(world._azurite.ConnectionString);
        world.Hosts = new HostProcesses(HostCount, Environment(world.Proxy?.ConnectionString ?? world._azurite.ConnectionString));
        world.Hosts.EnsureRunning();
        return world;
    }

    /// <summary>Drops a new content of a file; one time in four its event is lost.</summary>
    public async Task DropAsync(int number)
    {
        MixedFile file = await MixedFile.CreateAsync(_random, number);
        await DropAsync(file, announce: _random.Next(4) > 0);
    }

    /// <summary>Drops a file.</summary>
    public async Task DropAsync(MixedFile file, bool announce)
    {
        BlobContentInfo dropped = await Storage.Container(StorageNames.Reviews).GetBlobClient(file.Name)
            .UploadAsync(new BinaryData(file.Content), overwrite: true);
        string etag = ETags.Unquote(dropped.ETag);
        _drops[file.Name] = new Drop(file, etag);
        if (announce) await Storage.Queue(StorageNames.ReviewFiles)
            .SendMessageAsync(new ReviewFileMessage { Blob = BlobName.Parse(file.Name), ETag = etag }.ToBody());
    }

    /// <summary>Drops whose run has not ended.</summary>
    public async Task<IReadOnlyList<Drop>> UnderWayAsync()
    {
        var runs = new RunStore(Storage);
        Run?[] found = await Task.WhenAll(Drops.Select(drop => runs.TryReadAsync(drop.RunId)));
        return [.. Drops.Zip(found).Where(pair => pair.Second is not { IsFinished: true }).Select(pair => pair.First)];
    }

    /// <summary>Does one thing.</summary>
    /// <returns>False where there was nothing to do it to.</returns>
    public async Task<bool> DoAsync(FaultKind kind) => kind switch
    {
        FaultKind.KillHost => await KillAsync(),
        FaultKind.DeliverTwice => await SendAgainAsync(messages: 8, copies: 1),
        FaultKind.DeliverToBoth => await SendAgainAsync(messages: 1, copies: 4),
        FaultKind.DeleteMessages => await DeleteAsync(),
        FaultKind.StopStorage => await StopStorageAsync(),
        _ => await DropAgainAsync(),
    };

    public async ValueTask DisposeAsync()
    {
        Hosts.Dispose();
        if (Proxy is not null) await Proxy.DisposeAsync();
        await _azurite.DisposeAsync();
        _folder.Dispose();
    }

    private async Task<bool> KillAsync()
    {
        await Hosts.KillAsync(_random.Next(HostCount));
        await Task.Delay(_random.Next(300));
        Hosts.EnsureRunning();
        return true;
    }

    private async Task<bool> SendAgainAsync(int messages, int copies)
    {
        var queue = Storage.Queue(Queues[_random.Next(Queues.Length)]);
        PeekedMessage[] waiting = await queue.PeekMessagesAsync(messages);
        await Task.WhenAll(waiting.SelectMany(message => Enumerable.Range(0, copies).Select(_ => queue.SendMessageAsync(message.Body))));
        return waiting.Length > 0;
    }

    private async Task<bool> DeleteAsync()
    {
        var queue = Storage.Queue(Queues[_random.Next(Queues.Length)]);
        QueueMessage[] taken = await queue.ReceiveMessagesAsync(_random.Next(1, 6));
        foreach (QueueMessage message in taken) await queue.DeleteMessageAsync(message.MessageId, message.PopReceipt);
        return taken.Length > 0;
    }

    private async Task<bool> StopStorageAsync()
    {
        await _azurite.StopAsync();
        await Task.Delay(_random.Next(1500));
        await _azurite.InitializeAsync();
        return true;
    }

    private async Task<bool> DropAgainAsync()
    {
        IReadOnlyList<Drop> underWay = await UnderWayAsync();
        if (underWay.Count == 0) return false;
        await DropAsync(underWay[_random.Next(underWay.Count)].Number);
        return true;
    }

    // What waits for minutes in production waits for seconds; who gives up after some attempts, gives up after many:
    // so many faults would use them up, and giving up is a test of its own.
    private static Dictionary<string, string> Environment(string connection) => new()
    {
        ["AzureWebJobsStorage"] = connection,
        ["SweepSchedule"] = "*/2 * * * * *",
        ["AzureFunctionsJobHost__extensions__queues__maxDequeueCount"] = "1000",
        ["AzureFunctionsJobHost__extensions__queues__maxPollingInterval"] = "00:00:00.5",
        ["AzureFunctionsJobHost__extensions__queues__visibilityTimeout"] = "00:00:01",
        ["AzureFunctionsJobHost__extensions__queues__lease"] = "00:00:04",
        ["ServerlessBert__Inference__Dtype"] = "Float32",
        ["ServerlessBert__Inference__Threads"] = "1",
        ["ServerlessBert__Models__PollInterval"] = "00:00:01",
        ["ServerlessBert__Reviews__BatchRows"] = "4",
        ["ServerlessBert__Runs__Grace"] = "00:00:02",
        ["ServerlessBert__Runs__StallTime"] = "00:00:03",
        ["ServerlessBert__Runs__SplitStallTime"] = "00:00:06",
        ["ServerlessBert__Runs__MaxAttempts"] = "1000",
        ["ServerlessBert__Runs__BatchAttempts"] = "1000",
        ["ServerlessBert__Runs__HostRetryDelay"] = "00:00:00.5",
    };
}

/// <summary>A file as it stands in the reviews container.</summary>
internal sealed record Drop(MixedFile File, string ETag)
{
    /// <summary>Its run.</summary>
    public RunId RunId => RunId.Compute(File.Name, ETag);

    /// <summary>The file's number.</summary>
    public int Number =>
        int.Parse(File.Name[..File.Name.IndexOf('.', StringComparison.Ordinal)], System.Globalization.CultureInfo.InvariantCulture);
}
