using System.Security.Cryptography;
using System.Text.Json.Serialization;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Reviews;
using ServerlessBert.Reviews.Files;

namespace ServerlessBert.Pipeline.Runs;

/// <summary>
/// How a run's input is cut: the document <c>runs/&lt;id&gt;/plan.json</c>. It is made once, and whoever splits the same
/// drop again, with other settings or by another release, takes the plan that stands: every row is in it once.
/// </summary>
public sealed record RunPlan
{
    /// <summary>Whether offsets count in the run's own copy of the content; null in plans of a release that did not say.</summary>
    public bool? IsRewritten { get; init; }

    /// <summary>What reading from the middle needs to know of the file's head.</summary>
    public required ReviewLayout Layout { get; init; }

    /// <summary>The batches by index.</summary>
    public required IReadOnlyList<ReviewBatch> Batches { get; init; }

    /// <summary>Rows in the whole file.</summary>
    public required long Rows { get; init; }

    /// <summary>Length of the content in bytes, decompressed.</summary>
    public required long Bytes { get; init; }

    /// <summary>
    /// The first 16 hexadecimal digits of the SHA-256 of the document's bytes: which plan a message or a staged block
    /// is of.
    /// </summary>
    [JsonIgnore]
    public string Digest { get; init; } = "";

    /// <summary>The plan of a file that was cut now.</summary>
    public static RunPlan From(ReviewFilePlan cut, bool isRewritten) =>
        new() { IsRewritten = isRewritten, Layout = cut.Layout, Batches = cut.Batches, Rows = cut.Rows, Bytes = cut.Bytes };

    /// <summary>The digest of a plan's bytes.</summary>
    internal static string DigestOf(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes))[..16];
}

/// <summary>The runs' plans.</summary>
internal sealed class RunPlans(PipelineStorage storage)
{
    /// <summary>A run's plan; null where it is absent or damaged.</summary>
    public async Task<RunPlan?> TryReadAsync(RunId run, CancellationToken cancellationToken) =>
        Identified(await BlobOf(run).ReadAsync(null, cancellationToken));

    /// <summary>Keeps a plan, unless there is one.</summary>
    /// <returns>The plan that holds: this one, or the one that was there.</returns>
    public async Task<RunPlan> KeepAsync(RunId run, RunPlan plan, CancellationToken cancellationToken)
    {
        var kept = await BlobOf(run).ChangeAsync(read => read.Value is null ? plan : null, cancellationToken);
        return kept.IsWritten
            ? plan with { Digest = RunPlan.DigestOf(PipelineJson.ToBytes(plan)) }
            : await TryReadAsync(run, cancellationToken)
                ?? throw new IOException($"The plan of run {run} was there and is not any more; try again.");
    }

    private JsonBlob<RunPlan> BlobOf(RunId run) => new(new RunBlobs(storage, run).Plan);

    private static RunPlan? Identified(JsonReading<RunPlan> reading) =>
        reading is { Value: { } plan, Content: { } content } ? plan with { Digest = RunPlan.DigestOf(content.ToMemory().Span) } : null;
}
