using System.Net;
using System.Net.Http.Headers;
using Polly;
using Polly.Retry;

namespace ServerlessBert.Cli.HuggingFace;

/// <summary>
/// HTTP with the hub. Redirects are followed here rather than by HttpClient, because the hub's own answer says what the
/// file is, before it points elsewhere, and because the token must not go there.
/// </summary>
internal sealed class HubConnection(HubOptions options) : IDisposable
{
    private const int MostRedirects = 10;

    private readonly HttpClient client = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        ConnectTimeout = options.Silence,
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
    })
    {
        Timeout = options.Silence, // to the end of the headers; HubBody watches the rest
    };

    public HubOptions Options => options;

    /// <summary>
    /// Asks, and follows redirects; a redirect that leaves the hub is followed only if <paramref name="leaveHub"/>, else it is
    /// the answer.
    /// </summary>
    /// <exception cref="HubException">No answer, an endless chain of redirects, or one from https to http.</exception>
    public async Task<HttpResponseMessage> SendAsync(
        HttpMethod method, Uri address, bool leaveHub, RangeRequest? range, CancellationToken cancellationToken)
    {
        for (int hop = 0; hop <= MostRedirects; hop++)
        {
            HttpResponseMessage response = await SendOnceAsync(Request(method, address, range), cancellationToken);
            if (!IsRedirect(response)) return response;
            if (!leaveHub && !options.IsHub(new Uri(address, response.Headers.Location!))) return response;
            using (response) address = Follow(address, response.Headers.Location!);
        }
        throw new HubException($"{address.Authority} redirected more than {MostRedirects} times; is HF_ENDPOINT right?");
    }

    /// <summary>Where a redirect leads.</summary>
    /// <exception cref="HubException">From https to anything else, or to what is no web address.</exception>
    public static Uri Follow(Uri address, Uri location)
    {
        var target = new Uri(address, location);
        return target.Scheme == Uri.UriSchemeHttps || (target.Scheme == Uri.UriSchemeHttp && address.Scheme == Uri.UriSchemeHttp)
            ? target
            : throw new HubException(
                $"{address.Authority} redirects to {target.Scheme}://{target.Authority}, which is not encrypted; nothing was "
                    + $"fetched from there.");
    }

    public void Dispose() => client.Dispose();

    private HttpRequestMessage Request(HttpMethod method, Uri address, RangeRequest? range)
    {
        var request = new HttpRequestMessage(method, address);
        request.Headers.UserAgent.Add(new ProductInfoHeaderValue("sbert", null));
        // A compressed answer's length and ranges would not be the file's.
        request.Headers.AcceptEncoding.Add(new StringWithQualityHeaderValue("identity"));
        if (options.Token is { } token && options.IsHub(address)) request.Headers.Authorization =
            new AuthenticationHeaderValue("Bearer", token);
        range?.AddTo(request);
        return request;
    }

    private async Task<HttpResponseMessage> SendOnceAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        string host = request.RequestUri!.Authority;
        using (request)
        {
            try
            {
                HttpResponseMessage response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
                response.RequestMessage ??= request;
                return response;
            }
            catch (HttpRequestException exception) when (exception.HttpRequestError is HttpRequestError.NameResolutionError)
            {
                throw new HubException(
                    $"{host} is not known to this network ({exception.Message}); is there a connection, and is HF_ENDPOINT right?",
                    exception);
            }
            catch (HttpRequestException exception) when (exception.HttpRequestError is HttpRequestError.SecureConnectionError)
            {
                throw new HubException(
                    $"{host} could not prove who it is ({(exception.InnerException ?? exception).Message}); is HF_ENDPOINT right, "
                        + $"and the clock of this machine?", exception);
            }
            catch (HttpRequestException exception)
            {
                throw new HubException($"{host} cannot be reached ({exception.Message})", exception) { IsPassing = true };
            }
            catch (OperationCanceledException exception) when (!cancellationToken.IsCancellationRequested)
            {
                throw new HubException($"{host} did not answer within {options.Silence.TotalSeconds:N0} s", exception) { IsPassing = true };
            }
        }
    }

    private static bool IsRedirect(HttpResponseMessage response) => response.Headers.Location is not null && response.StatusCode is
        HttpStatusCode.MovedPermanently or HttpStatusCode.Found or HttpStatusCode.SeeOther or HttpStatusCode.TemporaryRedirect
            or HttpStatusCode.PermanentRedirect;
}

/// <summary>Repeats what fails in passing: after the time that the server names, else after waits that double.</summary>
/// <param name="options">How often and how long.</param>
/// <param name="log">Takes a line for each request that is repeated.</param>
internal sealed class HubRetry(HubOptions options, Action<string> log)
{
    private readonly ResiliencePipeline pipeline = new ResiliencePipelineBuilder()
        .AddRetry(new RetryStrategyOptions
        {
            ShouldHandle = new PredicateBuilder()
                .Handle<HubException>(fault => fault.IsPassing && !(fault.RetryAfter > options.LongestWait)),
            MaxRetryAttempts = options.Retries,
            Delay = options.FirstDelay,
            BackoffType = DelayBackoffType.Exponential,
            UseJitter = true,
            DelayGenerator = attempt => ValueTask.FromResult((attempt.Outcome.Exception as HubException)?.RetryAfter),
            OnRetry = attempt =>
            {
                log($"{attempt.Outcome.Exception!.Message}; trying again in {attempt.RetryDelay.TotalSeconds:N1} s "
                    + $"({attempt.AttemptNumber + 1} of {options.Retries})");
                return ValueTask.CompletedTask;
            },
        })
        .Build();

    /// <summary>Does <paramref name="work"/> until it succeeds, fails for good, or has failed too often.</summary>
    /// <exception cref="HubException">It failed.</exception>
    public async Task<T> RunAsync<T>(Func<CancellationToken, Task<T>> work, CancellationToken cancellationToken)
    {
        try
        {
            return await pipeline.ExecuteAsync(async token => await work(token), cancellationToken);
        }
        catch (HubException fault) when (fault.IsPassing)
        {
            string wait = fault.RetryAfter is { } asked ? $" in {asked.TotalSeconds:N0} s" : " later";
            throw new HubException(
                $"{fault.Message}; what was fetched is kept, run the same command again{wait}.", fault)
            { Status = fault.Status };
        }
    }
}

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
