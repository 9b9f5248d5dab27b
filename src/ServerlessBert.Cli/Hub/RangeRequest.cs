using System.Net.Http.Headers;

namespace ServerlessBert.Cli.Hub;

/// <summary>Asks for a file from a byte on, provided that it is still the same file (RFC 9110, sections 13.1.5 and 14.2).</summary>
/// <param name="From">The first byte wanted.</param>
/// <param name="IfRange">The strong ETag of the bytes already here; none where a hash will tell.</param>
internal sealed record RangeRequest(long From, EntityTagHeaderValue? IfRange)
{
    public void AddTo(HttpRequestMessage request)
    {
        request.Headers.Range = new RangeHeaderValue(From, null);
        if (IfRange is not null) request.Headers.IfRange = new RangeConditionHeaderValue(IfRange);
    }
}
