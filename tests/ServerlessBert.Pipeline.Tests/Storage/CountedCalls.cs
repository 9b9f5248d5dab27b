using Azure.Core;
using Azure.Core.Pipeline;
using Azure.Storage.Blobs;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Testing;

namespace ServerlessBert.Pipeline.Tests.Storage;

/// <summary>Counts the calls to blob storage, and lets the process "die" at one of them.</summary>
internal sealed class CountedCalls : HttpPipelinePolicy
{
    private readonly Lock _lock = new();

    /// <summary>How many there were.</summary>
    public int Count { get; private set; }

    /// <summary>The call before or after which nothing more happens; 0 for none.</summary>
    public int DiesAt { get; set; }

    /// <summary>Whether that call is still carried out: its answer then never comes.</summary>
    public bool DiesAfter { get; set; }

    /// <summary>The same storage through these calls.</summary>
    public PipelineStorage Through(AzuriteFixture azurite, string prefix)
    {
        var options = new BlobClientOptions();
        options.AddPolicy(this, HttpPipelinePosition.PerCall);
        return PipelineStorage.FromConnectionString(azurite.ConnectionString, prefix, options);
    }

    public override void Process(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline) =>
        ProcessAsync(message, pipeline).AsTask().GetAwaiter().GetResult();

    public override async ValueTask ProcessAsync(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline)
    {
        int number;
        bool isDead;
        lock (_lock)
        {
            number = ++Count;
            isDead = DiesAt > 0 && number > DiesAt;
        }
        if (isDead || (number == DiesAt && !DiesAfter)) throw new DiedException();
        await ProcessNextAsync(message, pipeline);
        if (number == DiesAt) throw new DiedException();
    }
}

/// <summary>The process would be dead here.</summary>
internal sealed class DiedException : Exception;
