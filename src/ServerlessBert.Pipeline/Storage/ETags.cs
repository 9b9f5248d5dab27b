using Azure;

namespace ServerlessBert.Pipeline.Storage;

/// <summary>One spelling of an ETag: events and listings write it bare, HTTP headers in quotes.</summary>
public static class ETags
{
    /// <summary>The ETag without quotes, as messages and documents hold it.</summary>
    public static string Bare(ETag etag) => Bare(etag.ToString());

    /// <summary>The ETag without quotes, as messages and documents hold it.</summary>
    public static string Bare(string etag) => etag.Trim('"');

    /// <summary>A bare ETag as a request's condition.</summary>
    public static ETag ToCondition(string bare) => new($"\"{bare}\"");
}
