using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.Abstractions;
using Microsoft.AspNetCore.Routing;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Logging;

namespace ServerlessBert.LocalHost;

/// <summary>HTTP functions on Kestrel, at <c>/api/{route}</c>. Keys are not asked for, as with the Functions host on a laptop.</summary>
internal static class HttpRoutes
{
    private static readonly string[] AllMethods = ["GET", "POST", "PUT", "DELETE", "HEAD", "PATCH", "OPTIONS"];

    /// <summary>The route of a function, with its leading <c>/api/</c>.</summary>
    public static string RouteOf(FunctionMethod function, HttpTriggerAttribute trigger) => $"/api/{trigger.Route ?? function.Name}";

    /// <summary>The methods that a function serves.</summary>
    public static IReadOnlyList<string> MethodsOf(HttpTriggerAttribute trigger) =>
        trigger.Methods is { Length: > 0 } methods ? [.. methods.Select(method => method.ToUpperInvariant())] : AllMethods;

    /// <summary>Serves a function.</summary>
    public static void Map(
        IEndpointRouteBuilder routes, FunctionMethod function, HttpTriggerAttribute trigger, FunctionInvoker invoker, ILogger logger) =>
        routes.MapMethods(
            RouteOf(function, trigger), MethodsOf(trigger), (RequestDelegate)(context => ServeAsync(context, function, invoker, logger)));

    private static async Task ServeAsync(HttpContext context, FunctionMethod function, FunctionInvoker invoker, ILogger logger)
    {
        try
        {
            object? result = await invoker.InvokeAsync(function, type => TriggerValue(function, context, type), context.RequestAborted);
            await WriteAsync(context, result);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The caller went away.
        }
        catch (BadHttpRequestException exception) when (!context.Response.HasStarted)
        {
            var error = new { code = "bad_request", message = exception.Message };
            await Results.Json(new { error }, statusCode: exception.StatusCode).ExecuteAsync(context);
        }
        catch (Exception exception)
        {
            HostLog.FunctionFailed(logger, function.Name, exception.Message, exception);
            if (context.Response.HasStarted) throw;
            context.Response.Clear();
            var error = new { code = "internal_error", message = $"{function.Name} failed; the host's log says why." };
            await Results.Json(new { error }, statusCode: StatusCodes.Status500InternalServerError).ExecuteAsync(context);
        }
    }

    private static object TriggerValue(FunctionMethod function, HttpContext context, Type type) =>
        type == typeof(HttpRequest) ? context.Request
        : type == typeof(HttpContext) ? context
        : throw new NotSupportedException(
            $"The HTTP function {function.Name} takes {type.Name}; this host gives HttpRequest or HttpContext.");

    private static Task WriteAsync(HttpContext context, object? result) => result switch
    {
        null => Task.CompletedTask,
        IResult executable => executable.ExecuteAsync(context),
        IActionResult action => action.ExecuteResultAsync(new ActionContext(context, context.GetRouteData(), new ActionDescriptor())),
        string text => context.Response.WriteAsync(text, context.RequestAborted),
        _ => context.Response.WriteAsJsonAsync(result, result.GetType(), context.RequestAborted),
    };
}
