using Microsoft.AspNetCore.Builder;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using ServerlessBert.Pipeline.Storage;

namespace ServerlessBert.Cli.Hosting;

/// <summary>Feeds functions by their triggers, and says in a line each what feeds them.</summary>
/// <param name="functions">The functions.</param>
/// <param name="configuration">Settings that triggers refer to.</param>
/// <param name="queueOptions">Limits of queue triggers.</param>
internal sealed class FunctionTriggers(IEnumerable<FunctionMethod> functions, IConfiguration configuration, QueueTriggerOptions queueOptions)
{
    private readonly FunctionMethod[] functions = [.. functions.Where(function => !IsDisabled(function, configuration))];

    /// <summary>Registers a listener for each queue and timer function.</summary>
    /// <exception cref="HostStartException">A schedule cannot be read, or a trigger is of a kind that this host does not know.</exception>
    public void AddListeners(IServiceCollection services)
    {
        foreach (FunctionMethod function in functions)
        {
            switch (function.Trigger)
            {
                case QueueTriggerAttribute queue:
                    services.AddSingleton<IHostedService>(provider => Listen(function, queue.QueueName, provider));
                    break;
                case TimerTriggerAttribute timer:
                    TimerSchedule schedule = TimerSchedule.Parse(function.Name, timer.Schedule, configuration);
                    services.AddSingleton<IHostedService>(provider => Listen(function, schedule, timer.RunOnStartup, provider));
                    break;
                case HttpTriggerAttribute:
                    break;
                default:
                    throw new HostStartException($"The function {function.Name} has a {function.Trigger.GetType().Name}; this host knows queue, timer and HTTP triggers.");
            }
        }
    }

    /// <summary>Maps the HTTP functions' routes.</summary>
    public void MapRoutes(WebApplication application)
    {
        FunctionInvoker invoker = application.Services.GetRequiredService<FunctionInvoker>();
        foreach (FunctionMethod function in functions)
            if (function.Trigger is HttpTriggerAttribute http) HttpRoutes.Map(application, function, http, invoker, LoggerOf(function, application.Services));
    }

    /// <summary>A line a function: what feeds it.</summary>
    /// <param name="address">Where HTTP functions answer.</param>
    public IEnumerable<string> Describe(Uri address) => functions.Select(function => function.Trigger switch
    {
        QueueTriggerAttribute queue => $"queue     {queue.QueueName} → {function.Name}",
        TimerTriggerAttribute timer => $"timer     {TimerSchedule.Parse(function.Name, timer.Schedule, configuration).Expression} → {function.Name}",
        HttpTriggerAttribute http => $"http      {string.Join(',', HttpRoutes.MethodsOf(http))} {new Uri(address, HttpRoutes.RouteOf(function, http))} → {function.Name}",
        _ => function.Name,
    });

    private QueueListener Listen(FunctionMethod function, string name, IServiceProvider services)
    {
        PipelineStorage storage = services.GetRequiredService<PipelineStorage>();
        FunctionInvoker invoker = services.GetRequiredService<FunctionInvoker>();
        bool isPoison = name.EndsWith(StorageNames.PoisonSuffix, StringComparison.Ordinal);
        return new QueueListener(
            function.Name,
            UnencodedQueue.Open(storage, name, configuration),
            isPoison ? null : UnencodedQueue.Open(storage, name + StorageNames.PoisonSuffix, configuration),
            queueOptions,
            (message, cancellationToken) => invoker.InvokeAsync(function, type => QueueMessageBinding.As(message, type), cancellationToken),
            LoggerOf(function, services));
    }

    private static TimerListener Listen(FunctionMethod function, TimerSchedule schedule, bool runOnStartup, IServiceProvider services)
    {
        FunctionInvoker invoker = services.GetRequiredService<FunctionInvoker>();
        return new TimerListener(
            function.Name, schedule, runOnStartup,
            (timer, cancellationToken) => invoker.InvokeAsync(function, _ => timer, cancellationToken),
            LoggerOf(function, services));
    }

    /// <summary>The Functions host's own switch.</summary>
    private static bool IsDisabled(FunctionMethod function, IConfiguration configuration) =>
        configuration[$"AzureWebJobs.{function.Name}.Disabled"] is { } value && (value == "1" || value.Equals("true", StringComparison.OrdinalIgnoreCase));

    private static ILogger LoggerOf(FunctionMethod function, IServiceProvider services) =>
        services.GetRequiredService<ILoggerFactory>().CreateLogger($"Function.{function.Name}");
}
