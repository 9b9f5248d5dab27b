using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Logging;
using ServerlessBert.Pipeline.Storage;

namespace ServerlessBert.LocalHost.Tests;

/// <summary>What the test functions saw.</summary>
public sealed class Seen
{
    public ConcurrentQueue<string> Calls { get; } = new();

    public ConcurrentBag<Guid> Scopes { get; } = [];
}

/// <summary>Lives as long as a scope.</summary>
public sealed class ScopedThing
{
    public Guid Id { get; } = Guid.NewGuid();
}

public sealed record Order(string Name);

/// <summary>A queue function in the forms that the worker allows.</summary>
public sealed class QueueFunctions(Seen seen, ScopedThing scoped, ILogger<QueueFunctions> logger)
{
    [Function("TakeOrder")]
    public async Task TakeOrderAsync(
        [QueueTrigger(StorageNames.ReviewFiles, Connection = "AzureWebJobsStorage")] Order order, CancellationToken cancellationToken)
    {
        await Task.Delay(1, cancellationToken);
        logger.LogDebug("{Name}", order.Name);
        seen.Scopes.Add(scoped.Id);
        seen.Calls.Enqueue($"order {order.Name}");
    }

    [Function("TakeBadOrder")]
    public static void TakeBadOrder([QueueTrigger(StorageNames.ReviewFiles + StorageNames.PoisonSuffix)] string body) =>
        PoisonBodies.Enqueue(body);

    public static ConcurrentQueue<string> PoisonBodies { get; } = new();
}

public sealed class TimerFunctions(Seen seen)
{
    [Function("Tick")]
    public void Tick([TimerTrigger("%TickSchedule%", RunOnStartup = true)] TimerInfo timer) =>
        seen.Calls.Enqueue($"tick {timer.ScheduleStatus!.Next > DateTime.MinValue}");
}

public sealed class HttpFunctions : IDisposable
{
    public static int Disposed { get; private set; }

    [Function("Echo")]
    public async Task<IResult> EchoAsync(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "echo")] HttpRequest request, CancellationToken cancellationToken) =>
        Results.Text(await new StreamReader(request.Body).ReadToEndAsync(cancellationToken), statusCode: 202);

    [Function("Action")]
    public IActionResult Action([HttpTrigger(AuthorizationLevel.Anonymous, "get")] HttpContext context) =>
        new ObjectResult(context.Request.Path.Value) { StatusCode = 203 };

    [Function("Data")]
    public ValueTask<Order> DataAsync([HttpTrigger("get")] HttpRequest request) => ValueTask.FromResult(new Order(request.Query["name"]!));

    [Function("Broken")]
    public string Broken([HttpTrigger("get")] HttpRequest request) => throw new JsonException("secret detail");

    public void Dispose() => Disposed++;
}

public sealed class TwoTriggers
{
    [Function("Both")]
    public void Both([QueueTrigger("a")] string a, [TimerTrigger("b")] TimerInfo b) => throw new InvalidOperationException($"{a}{b}");
}
