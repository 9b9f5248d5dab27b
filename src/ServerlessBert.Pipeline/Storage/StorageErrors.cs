using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;

namespace ServerlessBert.Pipeline.Storage;

/// <summary>What storage answers when it is data, not a bug: the blob is absent, or a condition did not hold.</summary>
internal static class Blobs
{
    /// <summary>A condition on If-Match or If-None-Match did not hold, or another writer was in between.</summary>
    public static bool IsConditionFailed(this RequestFailedException exception) => exception.Status is 409 or 412;

    /// <summary>The blob (or its container) is not there.</summary>
    public static bool IsNotFound(this RequestFailedException exception) => exception.Status == 404;

    /// <summary>A blob's properties, or null where there is none.</summary>
    public static async Task<BlobProperties?> TryGetPropertiesAsync(this BlobClient blob, CancellationToken cancellationToken)
    {
        try
        {
            return await blob.GetPropertiesAsync(cancellationToken: cancellationToken);
        }
        catch (RequestFailedException exception) when (exception.IsNotFound())
        {
            return null;
        }
    }

    /// <summary>A small blob's content, or null where there is none.</summary>
    public static async Task<BlobDownloadResult?> TryDownloadAsync(this BlobClient blob, CancellationToken cancellationToken)
    {
        try
        {
            return await blob.DownloadContentAsync(cancellationToken);
        }
        catch (RequestFailedException exception) when (exception.IsNotFound())
        {
            return null;
        }
    }

    /// <summary>The condition "as I saw it": If-Match of a bare ETag, or If-None-Match * where there was none.</summary>
    public static BlobRequestConditions Unchanged(string? etag) => etag is null
        ? new BlobRequestConditions { IfNoneMatch = ETag.All }
        : new BlobRequestConditions { IfMatch = ETags.ToCondition(etag) };
}

/// <summary>One spelling of an ETag: events and listings write it bare, HTTP headers in quotes.</summary>
public static class ETags
{
    /// <summary>The ETag without quotes, as messages and documents hold it.</summary>
    public static string Unquote(ETag etag) => Unquote(etag.ToString());

    /// <summary>The ETag without quotes, as messages and documents hold it.</summary>
    public static string Unquote(string etag) => etag.Trim('"');

    /// <summary>An unquoted ETag as a request's condition.</summary>
    public static ETag ToCondition(string unquoted) => new($"\"{unquoted}\"");
}
