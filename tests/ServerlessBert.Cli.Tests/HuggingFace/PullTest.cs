using ServerlessBert.Cli.HuggingFace;
using ServerlessBert.Testing;

namespace ServerlessBert.Cli.Tests.HuggingFace;

/// <summary>A small real model on a local hub, and a folder to pull it into.</summary>
public abstract class PullTest : IAsyncLifetime
{
    private readonly TemporaryFolder scratch = new();

    private protected const string Weights = "model.safetensors";

    private protected LocalHub Hub { get; private set; } = null!;

    /// <summary>Where pulls go; does not exist at first.</summary>
    private protected string Folder => scratch.At("pulled");

    private protected List<string> Remarks { get; } = [];

    public Task InitializeAsync()
    {
        Hub = LocalHub.Serving(SmallModels.Save(scratch.Path));
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        await Hub.DisposeAsync();
        scratch.Dispose();
    }

    private protected HubOptions Options => new()
    {
        Endpoint = Hub.Endpoint,
        FirstDelay = TimeSpan.FromMilliseconds(5),
        Retries = 3,
    };

    private protected async Task<PulledModel> PullAsync(
        HubOptions? options = null, string name = LocalHub.Name, string revision = "main", bool overwrite = false,
            CancellationToken cancellationToken = default)
    {
        using var client = new HubClient(options ?? Options, Remarks.Add);
        ModelPull pull = await ModelPull.PrepareAsync(client, ModelName.Parse(name), revision, Folder, overwrite, cancellationToken);
        return await pull.FetchAsync(_ => _ => { }, cancellationToken);
    }

    private protected Task<HubException> RefusedAsync(HubOptions? options = null, string name = LocalHub.Name, string revision = "main") =>
        Assert.ThrowsAsync<HubException>(() => PullAsync(options, name, revision));

    private protected void AssertPulled(params string[] files)
    {
        foreach (string file in files.Length > 0 ? files : [.. Hub.Files.Keys])
            Assert.True(Hub.Files[file].AsSpan().SequenceEqual(File.ReadAllBytes(Path.Combine(Folder, file))), $"{file} differs.");
        Assert.Empty(Directory.EnumerateFiles(Folder, "*.partial*"));
    }

    /// <summary>
    /// Sends the first <paramref name="count"/> bytes of the weights, waits until they are on the disk, and calls <paramref
    /// name="then"/>.
    /// </summary>
    private protected async Task SendBeginningAsync(Microsoft.AspNetCore.Http.HttpContext context, int count, Func<Task> then)
    {
        byte[] bytes = Hub.Files[Weights];
        context.Response.Headers.ETag = Hub.StorageETag(bytes);
        context.Response.ContentLength = bytes.Length;
        await context.Response.Body.WriteAsync(bytes.AsMemory(0, count));
        await context.Response.Body.FlushAsync();
        string partial = Path.Combine(Folder, Weights + ".partial");
        await Eventually.IsTrueAsync(() => File.Exists(partial) && new FileInfo(partial).Length > 0);
        await then();
    }
}
