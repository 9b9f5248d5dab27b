using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;

namespace ServerlessBert.Pipeline.Storage;

/// <summary>Reads where absence is an answer, and the condition "as I saw it".</summary>
internal static class Blobs
{
    // How a data-lake account marks a folder in the blob interface, and how some tools mark one in any account.
    private const string FolderMarker = "hdi_isfolder";

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

    /// <summary>The condition "as I saw it": If-Match of an ETag, or If-None-Match * where there was none.</summary>
    public static BlobRequestConditions Unchanged(string? etag) => etag is null
        ? new BlobRequestConditions { IfNoneMatch = ETag.All }
        : new BlobRequestConditions { IfMatch = ETags.ToCondition(etag) };

    /// <summary>Whether metadata are those of a folder, which is not a file although it is listed as one.</summary>
    public static bool IsFolderMarker(IDictionary<string, string>? metadata) => metadata is not null
        && metadata.Any(pair => pair.Key.Equals(FolderMarker, StringComparison.OrdinalIgnoreCase)
            && pair.Value.Equals("true", StringComparison.OrdinalIgnoreCase));
}

/// <summary>One spelling of an ETag: events and listings write it bare, HTTP headers in quotes.</summary>
public static class ETags
{
    /// <summary>The ETag without quotes, as messages and documents hold it.</summary>
    public static string Unquote(ETag etag) => Unquote(etag.ToString());

    /// <summary>The ETag without quotes, as messages and documents hold it.</summary>
    public static string Unquote(string etag) => etag.Trim('"');

    /// <summary>Whether a text that came in a message can be an unquoted ETag: it becomes part of a header.</summary>
    public static bool IsValid(string unquoted) =>
        unquoted.Length is > 0 and <= 200 && unquoted.All(symbol => symbol is > ' ' and < '\x7f' and not '"');

    /// <summary>An unquoted ETag as a request's condition.</summary>
    public static ETag ToCondition(string unquoted) => new($"\"{unquoted}\"");
}
