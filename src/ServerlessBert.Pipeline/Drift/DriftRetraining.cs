using System.Text.Json;
using Azure;
using Azure.Storage.Blobs.Models;
using Microsoft.Extensions.Logging;
using ServerlessBert.Pipeline.Models;
using ServerlessBert.Pipeline.Predictions;
using ServerlessBert.Pipeline.Retraining;
using ServerlessBert.Pipeline.Runs;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Pipeline.Telemetry;

namespace ServerlessBert.Pipeline.Drift;

/// <summary>Asks for a training when predictions drift: once for each live model, however many files show it and however many hosts see it.</summary>
public sealed class DriftRetraining(PipelineStorage storage, ModelRegistry registry, TrainingRequests requests, TimeProvider time, ILogger<DriftRetraining> logger)
{
    private static readonly TimeSpan SendTime = TimeSpan.FromMinutes(1);

    /// <summary>Sends a request, unless one was sent for this model, one waits, or the model is not live any more.</summary>
    public async Task AskOnceAsync(Run run, DriftReport report, CancellationToken cancellationToken = default)
    {
        if ((await registry.CurrentAsync(cancellationToken))?.Version != run.Model) return;
        // Whoever writes the note sends the request. Where that one died in between, the next file's host is the one.
        var note = storage.Container(StorageNames.Runs).GetBlobClient($"drift/{run.Model}.json");
        var earlier = await note.TryDownloadAsync(cancellationToken);
        if (earlier is not null && IsSeenTo(Read(earlier.Content))) return;
        if (await requests.CountAsync(cancellationToken) > 0) return;

        var asking = new DriftNote(run.Model, run.Blob, report.Reason!, time.GetUtcNow());
        string? etag = earlier is null ? null : ETags.Unquote(earlier.Details.ETag);
        if (await TryWriteAsync(asking, etag) is not { } mine) return;
        string message = await requests.SendAsync(new TrainingRequest { RequestedBy = "drift" }, cancellationToken);
        await TryWriteAsync(asking with { Message = message }, mine);
        logger.TrainingRequestedByDrift(run.Model, report.Reason!);

        async Task<string?> TryWriteAsync(DriftNote content, string? known)
        {
            try
            {
                var upload = new BlobUploadOptions { Conditions = Blobs.Unchanged(known), HttpHeaders = new BlobHttpHeaders { ContentType = "application/json" } };
                BlobContentInfo written = await note.UploadAsync(new BinaryData(JsonSerializer.SerializeToUtf8Bytes(content, PipelineJson.Of<DriftNote>())), upload, cancellationToken);
                return ETags.Unquote(written.ETag);
            }
            catch (RequestFailedException exception) when (exception.IsWrittenInBetween())
            {
                return null;
            }
        }
    }

    private bool IsSeenTo(DriftNote note) => note.Message is not null || time.GetUtcNow() - note.At < SendTime;

    private static DriftNote Read(BinaryData content) => JsonSerializer.Deserialize(content.ToMemory().Span, PipelineJson.Of<DriftNote>())!;
}

/// <summary>That drift asked for a training: the document <c>runs/drift/&lt;version&gt;.json</c>.</summary>
/// <param name="Model">The model whose predictions drifted.</param>
/// <param name="Blob">The file that showed it.</param>
/// <param name="Reason">What drifted, in a sentence.</param>
/// <param name="At">When it was seen.</param>
/// <param name="Message">The id of the request's message; null until it is sent.</param>
public sealed record DriftNote(string Model, string Blob, string Reason, DateTimeOffset At, string? Message = null);
