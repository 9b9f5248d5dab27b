using System.Net;
using System.Text;

namespace ServerlessBert.Testing;

/// <summary>What a broken proxy does to every answer.</summary>
public enum Sickness
{
    /// <summary>Nothing: the real answer.</summary>
    None,

    /// <summary>200 with a page of HTML.</summary>
    Html,

    /// <summary>The real answer's status and headers, and half of its body.</summary>
    HalfBody,
}

/// <summary>HTTP through a proxy that can fall sick.</summary>
public sealed class SickHttp : DelegatingHandler
{
    private int answered;

    /// <summary>Passes requests on.</summary>
    public SickHttp() : base(new HttpClientHandler())
    {
    }

    /// <summary>What it does now.</summary>
    public Sickness Sickness { get; set; }

    /// <summary>Sick answers so far.</summary>
    public int Answered => Volatile.Read(ref answered);

    /// <inheritdoc/>
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (Sickness == Sickness.None) return await base.SendAsync(request, cancellationToken);
        Interlocked.Increment(ref answered);
        if (Sickness == Sickness.Html)
            return new HttpResponseMessage(
                HttpStatusCode.OK)
            {
                Content =
                new StringContent("<html><body>Welcome to this hotel<br></body>", Encoding.UTF8, "text/html"),
                RequestMessage = request
            };
        HttpResponseMessage response = await base.SendAsync(request, cancellationToken);
        byte[] body = await response.Content.ReadAsByteArrayAsync(cancellationToken);
        var half = new ByteArrayContent(body, 0, body.Length / 2);
        foreach (var header in response.Content.Headers.Where(
            header => header.Key != "Content-Length")) half.Headers.TryAddWithoutValidation(header.Key, header.Value);
        response.Content = half;
        return response;
    }
}
