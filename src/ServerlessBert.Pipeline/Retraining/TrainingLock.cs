using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using ServerlessBert.Pipeline.Storage;

namespace ServerlessBert.Pipeline.Retraining;

/// <summary>
/// The right to train for this account's live model: a lease on <c>trainings/lock</c>, renewed while it is held, so that
/// two trainings never run together. The lease's id is the request's: whoever holds the request after its trainer died
/// takes the lease up at once, while another request waits until it runs out.
/// </summary>
public sealed class TrainingLock : IAsyncDisposable
{
    private static readonly RenewedLeaseOptions Renewal = new()
    {
        // The longest that storage gives: a trainer that dies holds other requests up for this long at most.
        Duration = TimeSpan.FromSeconds(60),
        Interval = TimeSpan.FromSeconds(15),
        IsRefused = exception => exception is RequestFailedException { Status: 404 or 409 or 412 },
    };

    private readonly BlobLeaseClient _lease;
    private readonly RenewedLease _held;

    private TrainingLock(BlobLeaseClient lease)
    {
        _lease = lease;
        _held = new RenewedLease(Renewal, async cancellationToken => await lease.RenewAsync(cancellationToken: cancellationToken));
    }

    /// <summary>Cancelled when the lease is not held any more.</summary>
    public CancellationToken Lost => _held.Lost;

    /// <summary>Takes the lock, or gives null where another request's training has it.</summary>
    /// <param name="storage">Where trainings are.</param>
    /// <param name="request">The request's message id, a GUID.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    public static async Task<TrainingLock?> TryTakeAsync(
        PipelineStorage storage, string request, CancellationToken cancellationToken = default)
    {
        BlobClient blob = storage.Container(StorageNames.Trainings).GetBlobClient("lock");
        BlobLeaseClient lease = blob.GetBlobLeaseClient(Guid.Parse(request).ToString());
        for (bool wasMade = false; ; wasMade = true)
        {
            try
            {
                await lease.AcquireAsync(Renewal.Duration, cancellationToken: cancellationToken);
                return new TrainingLock(lease);
            }
            catch (RequestFailedException exception) when (exception.IsNotFound() && !wasMade)
            {
                await MakeAsync(blob, cancellationToken);
            }
            catch (RequestFailedException exception) when (exception.ErrorCode == BlobErrorCode.LeaseAlreadyPresent)
            {
                return null;
            }
        }
    }

    /// <summary>Gives the lock back.</summary>
    public async ValueTask DisposeAsync()
    {
        await _held.StopAsync();
        try
        {
            if (!Lost.IsCancellationRequested) await _lease.ReleaseAsync();
        }
        catch (Exception exception) when (exception is RequestFailedException || StorageErrors.IsUnreachable(exception))
        {
            // Nobody can be told; without renewal it ends by itself within the lease's duration.
        }
        await _held.DisposeAsync();
    }

    private static async Task MakeAsync(BlobClient blob, CancellationToken cancellationToken)
    {
        try
        {
            // Storage of an earlier release lacks the container.
            await blob.GetParentBlobContainerClient().CreateIfNotExistsAsync(cancellationToken: cancellationToken);
            await blob.UploadAsync(new BinaryData(""), new BlobUploadOptions { Conditions = Blobs.Unchanged(null) }, cancellationToken);
        }
        catch (RequestFailedException exception) when (exception.IsWrittenInBetween() || exception.IsUnwritable())
        {
            // Another trainer made it at the same moment, and may hold it already.
        }
    }
}
