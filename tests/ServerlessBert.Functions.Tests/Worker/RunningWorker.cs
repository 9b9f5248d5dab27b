using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Azure.Storage.Queues.Models;
using ServerlessBert.Pipeline.Models;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Testing;

namespace ServerlessBert.Functions.Tests.Worker;

/// <summary>
/// The Functions app as the Functions host runs it: its program in a process of its own, told over gRPC to load and to
/// run functions; a real Azurite with a small live model.
/// </summary>
public class RunningWorker : IAsyncLifetime
{
    private readonly AzuriteFixture azurite = new();
    private readonly string folder = Directory.CreateTempSubdirectory("worker-").FullName;
    private WorkerChannel? channel;
    private Process? process;
    private int invocations;

    /// <summary>The storage that the app works on.</summary>
    public PipelineStorage Storage { get; private set; } = null!;

    /// <summary>What the worker answered to the host's first message.</summary>
    public JsonElement Initialized { get; private set; }

    /// <summary>The program's process.</summary>
    protected Process Program => process!;

    /// <summary>The functions by their names, as the worker told them.</summary>
    public IReadOnlyDictionary<string, JsonElement> Functions { get; private set; } = new Dictionary<string, JsonElement>();

    /// <summary>What went wrong, for an assertion's message.</summary>
    public string Log => string.Join('\n', channel?.Log ?? []);

    /// <summary>Whether this machine can run it; where it cannot, the tests are skipped with the reason.</summary>
    protected virtual bool IsPossible => true;

    public virtual async Task InitializeAsync()
    {
        if (!IsPossible) return;
        await azurite.InitializeAsync();
        string prefix = AzuriteFixture.NewPrefix();
        Storage = PipelineStorage.FromConnectionString(azurite.ConnectionString, prefix);
        await Storage.CreateAsync();
        var registry = new ModelRegistry(Storage, TimeProvider.System);
        await registry.PromoteAsync((await registry.PublishAsync(SmallModels.Save(folder))).Version, "test");

        channel = await WorkerChannel.OpenAsync();
        Start(prefix);
        await channel.ReceiveAsync("startStream");
        channel.Send(new()
        {
            ["workerInitRequest"] =
            new JsonObject { ["hostVersion"] = "4.1000.0", ["workerDirectory"] = Folder, ["functionAppDirectory"] = Folder }
        });
        Initialized = await channel.ReceiveAsync("workerInitResponse");
        channel.Send(new() { ["functionsMetadataRequest"] = new JsonObject { ["functionAppDirectory"] = Folder } });
        JsonElement metadata = await channel.ReceiveAsync("functionMetadataResponse");
        Functions = metadata.GetProperty("functionMetadataResults").EnumerateArray()
            .ToDictionary(function => function.GetProperty("name").GetString()!);
        foreach (JsonElement function in Functions.Values) await LoadAsync(channel, function);
    }

    public virtual async Task DisposeAsync()
    {
        if (channel is not null && process is not null)
        {
            channel.Send(new() { ["workerTerminate"] = new JsonObject { ["gracePeriod"] = "5s" } });
            if (!process.WaitForExit(TimeSpan.FromSeconds(10))) process.Kill(entireProcessTree: true);
            process.Dispose();
            await channel.DisposeAsync();
            await azurite.DisposeAsync();
        }
        Directory.Delete(folder, recursive: true);
    }

    /// <summary>Runs a queue's function with a message, as the host hands one over.</summary>
    public Task<JsonElement> InvokeAsync(string function, QueueMessage message) => InvokeAsync(function, "message", new JsonObject
    {
        ["modelBindingData"] = new JsonObject
        {
            ["version"] = "1.0",
            ["source"] = "AzureStorageQueues",
            ["contentType"] = "application/json",
            ["content"] = Convert.ToBase64String(
                JsonSerializer.SerializeToUtf8Bytes(
                new { message.MessageId, message.PopReceipt, MessageText = message.Body.ToString(), message.DequeueCount })),
        },
    });

    /// <summary>Runs a function with its trigger's data, and waits for its end.</summary>
    public async Task<JsonElement> InvokeAsync(string function, string parameter, JsonObject data)
    {
        string id = Begin(function, parameter, data);
        JsonElement response = await channel!.ReceiveAsync("invocationResponse");
        Assert.Equal(id, response.GetProperty("invocationId").GetString());
        return response;
    }

    /// <summary>Sends a request to the worker's own HTTP server, as the host forwards one.</summary>
    public async Task<HttpResponseMessage> RequestAsync(string function, HttpMethod method, string path, HttpContent? content = null)
    {
        string id = Begin(function, "request", new JsonObject { ["http"] = new JsonObject() });
        using var http =
            new HttpClient { BaseAddress = new Uri(Initialized.GetProperty("capabilities").GetProperty("HttpUri").GetString()!) };
        using var request = new HttpRequestMessage(method, path) { Content = content, Headers = { { "x-ms-invocation-id", id } } };
        HttpResponseMessage response = await http.SendAsync(request);
        Assert.Equal(id, (await channel!.ReceiveAsync("invocationResponse")).GetProperty("invocationId").GetString());
        return response;
    }

    private string Begin(string function, string parameter, JsonObject data)
    {
        string id = (++invocations).ToString(CultureInfo.InvariantCulture);
        channel!.Send(new()
        {
            ["invocationRequest"] = new JsonObject
            {
                ["invocationId"] = id,
                ["functionId"] = Functions[function].GetProperty("functionId").GetString(),
                ["inputData"] = new JsonArray(new JsonObject { ["name"] = parameter, ["data"] = data }),
                ["traceContext"] = new JsonObject(),
                ["retryContext"] = new JsonObject(),
            },
        });
        return id;
    }

    private static async Task LoadAsync(WorkerChannel channel, JsonElement function)
    {
        var metadata = JsonNode.Parse(function.GetRawText())!.AsObject();
        // The host reads the raw bindings and sends them back in parts.
        metadata["bindings"] = new JsonObject(function.GetProperty("rawBindings").EnumerateArray().Select(raw =>
        {
            JsonElement binding = JsonDocument.Parse(raw.GetString()!).RootElement;
            var parts = new JsonObject
            {
                ["type"] = binding.GetProperty("type").GetString(),
                ["direction"] = binding.GetProperty("direction").GetString()!.ToLowerInvariant()
            };
            return KeyValuePair.Create(binding.GetProperty("name").GetString()!, (JsonNode?)parts);
        }));
        channel.Send(new()
        {
            ["functionLoadRequest"] =
            new JsonObject { ["functionId"] = function.GetProperty("functionId").GetString(), ["metadata"] = metadata }
        });
        JsonElement loaded = await channel.ReceiveAsync("functionLoadResponse");
        Assert.Equal("Success", loaded.GetProperty("result").GetProperty("status").GetString());
    }

    private void Start(string prefix)
    {
        ProcessStartInfo start = Command([
            "--functions-uri", channel!.Address.ToString(), "--functions-worker-id", "worker", "--functions-request-id", "request",
                "--functions-grpc-max-message-length", "2147483647"]);
        start.Environment["FUNCTIONS_WORKER_RUNTIME"] = "dotnet-isolated";
        start.Environment["AzureWebJobsStorage"] = azurite.ConnectionString;
        start.Environment["ServerlessBert__Storage__Prefix"] = prefix;
        process = Process.Start(start)!;
    }

    /// <summary>Where the program sees itself.</summary>
    protected virtual string Folder => AppContext.BaseDirectory;

    /// <summary>How the program is started with the host's arguments.</summary>
    protected virtual ProcessStartInfo Command(IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(
            "dotnet", [Path.Combine(Folder, "ServerlessBert.Functions.dll"), .. arguments])
        { WorkingDirectory = Folder };
        start.Environment["FUNCTIONS_APPLICATION_DIRECTORY"] = Folder;
        return start;
    }
}
