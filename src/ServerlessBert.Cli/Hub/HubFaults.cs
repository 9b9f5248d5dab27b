using System.Net;

namespace ServerlessBert.Cli.Hub;

/// <summary>What an answer other than success means, in a sentence.</summary>
internal static class HubFaults
{
    /// <param name="options">The hub that was asked.</param>
    /// <param name="model">The model that was asked for.</param>
    /// <param name="revision">Its revision.</param>
    /// <param name="what">What was asked for: a file's name, or the model itself.</param>
    /// <param name="response">The answer, of the hub or of the server that it redirected to.</param>
    public static HubException Of(HubOptions options, ModelName model, string revision, string what, HttpResponseMessage response)
    {
        HttpStatusCode status = response.StatusCode;
        Uri asked = response.RequestMessage!.RequestUri!;
        string message = options.IsHub(asked) ? Sentence(options, model, revision, what, response) : $"{asked.Authority}, where the hub keeps {what}, answered {(int)status}";
        return new HubException(message) { Status = status, IsPassing = IsPassing(status), RetryAfter = RetryAfter(response) };
    }

    private static string Sentence(HubOptions options, ModelName model, string revision, string what, HttpResponseMessage response) => response.StatusCode switch
    {
        // The hub says 401 for a name that does not exist too, so as not to tell which private models there are.
        HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden when options.Token is null =>
            $"{options.Endpoint} does not show {model} to everyone ({(int)response.StatusCode}): it is gated or private, or has another name; set HF_TOKEN to the token of an account that may read it.",
        HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden =>
            $"{options.Endpoint} does not show {model} to the owner of HF_TOKEN ({(int)response.StatusCode}): it is gated or private; ask for access at {options.Endpoint}/{model}, or set HF_TOKEN to the token of an account that may read it.",
        HttpStatusCode.NotFound => NotFound(options, model, revision, what, response),
        HttpStatusCode.TooManyRequests => $"{options.Endpoint} takes no more requests for now (429, {what}){(options.Token is null ? "; with HF_TOKEN set it takes more" : "")}",
        >= HttpStatusCode.InternalServerError => $"{options.Endpoint} answered {(int)response.StatusCode} for {what}",
        _ => $"{options.Endpoint} answered {(int)response.StatusCode} for {what} of {model}; is HF_ENDPOINT a hub?",
    };

    private static string NotFound(HubOptions options, ModelName model, string revision, string what, HttpResponseMessage response) =>
        (response.Headers.TryGetValues("X-Error-Code", out var codes) ? codes.First() : "") switch
        {
            "RepoNotFound" => $"{options.Endpoint} has no model named {model}.",
            "RevisionNotFound" => $"{model} has no revision '{revision}'; its branches and tags stand at {options.Endpoint}/{model}/tree/main.",
            "EntryNotFound" => $"{model} has no {what} in revision {revision}.",
            _ => $"{options.Endpoint} has no {model} with a revision '{revision}'{(what == model.ToString() ? "" : $" and a file {what}")}.",
        };

    private static bool IsPassing(HttpStatusCode status) =>
        status >= HttpStatusCode.InternalServerError || status is HttpStatusCode.TooManyRequests or HttpStatusCode.RequestTimeout or HttpStatusCode.RequestedRangeNotSatisfiable;

    private static TimeSpan? RetryAfter(HttpResponseMessage response) =>
        (response.Headers.RetryAfter?.Delta ?? response.Headers.RetryAfter?.Date - DateTimeOffset.UtcNow) is { } wait && wait > TimeSpan.Zero ? wait : null;
}
