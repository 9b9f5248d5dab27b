using System.Xml;
using Azure;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;

namespace ServerlessBert.Pipeline.Storage;

/// <summary>What an error of storage means, decided here and nowhere else.</summary>
public enum StorageFault
{
    /// <summary>The blob, container, queue or message is not there.</summary>
    NotFound,

    /// <summary>A condition that the request set did not hold: somebody wrote first. Look again and decide anew.</summary>
    WrittenInBetween,

    /// <summary>Something outside of this program holds the blob: a lease, a tier, a policy. Trying again changes nothing.</summary>
    Unwritable,

    /// <summary>Storage was not reached or was too busy. A later attempt may succeed.</summary>
    Unreachable,

    /// <summary>Storage said no for another reason: a role, a limit, a request that is not valid.</summary>
    Refused,
}

/// <summary>Classifies errors of storage, and words them.</summary>
public static class StorageErrors
{
    /// <summary>What the error means.</summary>
    /// <remarks>
    /// 409 and 412 have some thirty codes, and only those of a condition mean "somebody wrote first". The others stay as
    /// they are however often they are asked: a foreign lease, an archived tier, an immutability policy, a legal hold.
    /// </remarks>
    public static StorageFault FaultOf(RequestFailedException exception) => exception.Status switch
    {
        404 => StorageFault.NotFound,
        409 or 412 when IsCondition(exception.ErrorCode) => StorageFault.WrittenInBetween,
        409 or 412 => StorageFault.Unwritable,
        0 or 408 or 429 or >= 500 => StorageFault.Unreachable,
        _ => StorageFault.Refused,
    };

    /// <summary>The blob (or its container) is not there.</summary>
    public static bool IsNotFound(this RequestFailedException exception) => FaultOf(exception) == StorageFault.NotFound;

    /// <summary>A condition on If-Match or If-None-Match did not hold: another writer was in between.</summary>
    public static bool IsWrittenInBetween(this RequestFailedException exception) => FaultOf(exception) == StorageFault.WrittenInBetween;

    /// <summary>Something outside of this program holds the blob.</summary>
    public static bool IsUnwritable(this RequestFailedException exception) => FaultOf(exception) == StorageFault.Unwritable;

    /// <summary>
    /// Whether a later attempt may succeed because storage was only not reached. The clients wrap what their own retries
    /// met in an <see cref="AggregateException"/>; an answer that is not storage's own cannot be parsed (<see cref="XmlException"/>).
    /// </summary>
    public static bool IsUnreachable(Exception exception) => exception switch
    {
        RequestFailedException failed => FaultOf(failed) == StorageFault.Unreachable,
        AggregateException aggregate => aggregate.InnerExceptions.Count > 0 && aggregate.InnerExceptions.All(IsUnreachable),
        _ => exception is HttpRequestException or IOException or TaskCanceledException or TimeoutException or XmlException,
    };

    /// <summary>The error in one line: storage's messages go on with headers and request ids.</summary>
    public static string Sentence(Exception exception) =>
        (exception is AggregateException { InnerException: { } inner } ? inner : exception).Message.AsSpan().Trim().ToString()
            .Split('\n', 2)[0].TrimEnd('\r');

    /// <summary>The error as a sentence about a blob that cannot be written.</summary>
    public static UnwritableBlobException Unwritable(BlobBaseClient blob, RequestFailedException exception)
    {
        string name = $"{blob.BlobContainerName}/{blob.Name}";
        string sentence = exception.ErrorCode switch
        {
            _ when exception.Message.Contains("legal hold", StringComparison.OrdinalIgnoreCase) =>
                $"{name} cannot be written: a legal hold is on it; clear the hold, or use another name.",
            "BlobImmutableDueToPolicy" =>
                $"{name} cannot be written: an immutability policy protects it; wait until it ends, or use another name.",
            "BlobArchived" or "BlobBeingRehydrated" =>
                $"{name} cannot be written: it is in the archive tier; move it to the hot or cool tier, or delete it.",
            "LeaseIdMissing" or "LeaseIdMismatchWithBlobOperation" or "LeaseLost"
                or "LeaseNotPresentWithBlobOperation" or "LeaseAlreadyPresent" =>
                $"{name} cannot be written: somebody else holds a lease on it; break the lease (az storage blob lease break).",
            "SnapshotsPresent" => $"{name} cannot be deleted: it has snapshots; delete them first.",
            "InvalidBlobType" => $"{name} cannot be written: it is not a block blob; delete it.",
            _ => $"{name} cannot be written ({exception.ErrorCode ?? $"status {exception.Status}"}): {Sentence(exception)}",
        };
        return new UnwritableBlobException(sentence, exception);
    }

    // The last is another server-side copy to the same blob, under way: its result is somebody's write.
    private static bool IsCondition(string? code) => code == BlobErrorCode.ConditionNotMet || code == BlobErrorCode.BlobAlreadyExists
        || code == BlobErrorCode.SourceConditionNotMet || code == BlobErrorCode.TargetConditionNotMet
            || code == BlobErrorCode.PendingCopyOperation;
}

/// <summary>Something outside of this program keeps a blob from being written: a lease, a tier, a policy, a hold.</summary>
/// <param name="message">One sentence: which blob, what holds it, what to do.</param>
/// <param name="inner">Storage's own error.</param>
public sealed class UnwritableBlobException(string message, Exception? inner = null) : ServerlessBertException(message, inner);
