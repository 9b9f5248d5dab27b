using System.Net;
using System.Text.RegularExpressions;
using ServerlessBert.Cli.Input;

namespace ServerlessBert.Cli.HuggingFace;

/// <summary>Which hub to ask, as whom, and how patiently.</summary>
internal sealed partial record HubOptions
{
    private const string EndpointVariable = "HF_ENDPOINT", TokenVariable = "HF_TOKEN";

    /// <summary>The hub's address, without a slash at its end; a mirror's may have a path.</summary>
    public string Endpoint { get; init; } = "https://huggingface.co";

    /// <summary>An access token, or none. It goes to <see cref="Endpoint"/>'s origin and to nobody else.</summary>
    public string? Token { get; init; }

    /// <summary>How often a request is repeated that failed in a way that passes.</summary>
    public int Retries { get; init; } = 5;

    /// <summary>The first wait; it doubles with each repetition, so that five of them sit out half a minute.</summary>
    public TimeSpan FirstDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The longest Retry-After that is waited for: the hub counts its requests in windows of five minutes.</summary>
    public TimeSpan LongestWait { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>A connection that says nothing for so long counts as cut.</summary>
    public TimeSpan Silence { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Whether an address is of the hub itself: the same scheme, host and port.</summary>
    public bool IsHub(Uri address) =>
        Uri.Compare(address, new Uri(Endpoint), UriComponents.SchemeAndServer, UriFormat.SafeUnescaped,
            StringComparison.OrdinalIgnoreCase) == 0;

    /// <summary>Reads HF_ENDPOINT and HF_TOKEN.</summary>
    /// <exception cref="UsageException">One of them cannot be what it says it is.</exception>
    public static HubOptions FromEnvironment(Func<string, string?> variable)
    {
        var options = new HubOptions();
        if (variable(EndpointVariable)?.Trim() is { Length: > 0 } endpoint) options = options with { Endpoint = Address(endpoint) };
        if (variable(TokenVariable)?.Trim() is { Length: > 0 } token) options = options with { Token = Checked(token) };
        return options;
    }

    private static string Address(string endpoint) =>
        Uri.TryCreate(endpoint, UriKind.Absolute, out Uri? address) && address.Scheme is "http" or "https"
            && address is { UserInfo: "", Query: "", Fragment: "" }
            ? endpoint.TrimEnd('/')
            : throw new UsageException(
                $"{EndpointVariable} must be an address such as https://huggingface.co, with no user, query or fragment.");

    // The token itself stays out of the sentence: it would end in logs.
    private static string Checked(string token) =>
        Printable().IsMatch(token) ? token
            : throw new UsageException($"{TokenVariable} holds characters that no token has; copy it again from the hub's settings.");

    [GeneratedRegex(@"\A[\x21-\x7E]+\z")]
    private static partial Regex Printable();
}

/// <summary>
/// A model that cannot be fetched; the message is one sentence: what, where, what to do. Of a fault that passes, the
/// message is its first half, for <see cref="HubRetry"/> to go on with.
/// </summary>
internal sealed class HubException(string message, Exception? innerException = null) : ServerlessBertException(message, innerException)
{
    /// <summary>Whether the same request may succeed a little later.</summary>
    public bool IsPassing { get; init; }

    /// <summary>How long the server asks to wait, where it says so.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>The status that was answered, if there was an answer.</summary>
    public HttpStatusCode? Status { get; init; }
}
