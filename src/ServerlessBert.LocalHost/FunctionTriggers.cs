using System.Reflection;
using Microsoft.AspNetCore.Builder;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Extensions.Abstractions;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using ServerlessBert.Pipeline.Storage;

namespace ServerlessBert.LocalHost;

/// <summary>Feeds functions by their triggers, and says in a line each what feeds them.</summary>
/// <param name="functions">The functions.</param>
/// <param name="configuration">Settings that triggers refer to.</param>
/// <param name="queueOptions">Limits of queue triggers.</param>
internal sealed class FunctionTriggers(
    IEnumerable<FunctionMethod> functions, IConfiguration configuration, QueueTriggerOptions queueOptions)
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
                    throw new HostStartException(
                        $"The function {function.Name} has a {function.Trigger.GetType().Name}; this host knows queue, timer and "
                            + $"HTTP triggers.");
            }
        }
    }

    /// <summary>Maps the HTTP functions' routes.</summary>
    public void MapRoutes(WebApplication application)
    {
        FunctionInvoker invoker = application.Services.GetRequiredService<FunctionInvoker>();
        foreach (FunctionMethod function in functions)
            if (function.Trigger is HttpTriggerAttribute http) HttpRoutes.Map(
                application, function, http, invoker, LoggerOf(function, application.Services));
    }

    /// <summary>A line a function: what feeds it.</summary>
    /// <param name="address">Where HTTP functions answer.</param>
    public IEnumerable<string> Describe(Uri address) => functions.Select(function => function.Trigger switch
    {
        QueueTriggerAttribute queue => $"queue     {queue.QueueName} → {function.Name}",
        TimerTriggerAttribute timer =>
            $"timer     {TimerSchedule.Parse(function.Name, timer.Schedule, configuration).Expression} → {function.Name}",
        HttpTriggerAttribute http =>
            $"http      {string.Join(',', HttpRoutes.MethodsOf(http))} {new Uri(address, HttpRoutes.RouteOf(function, http))} → "
                + $"{function.Name}",
        _ => function.Name,
    });

    private QueueListener Listen(FunctionMethod function, string name, IServiceProvider services)
    {
        PipelineStorage storage = services.GetRequiredService<PipelineStorage>();
        FunctionInvoker invoker = services.GetRequiredService<FunctionInvoker>();
        bool isPoison = name.EndsWith(StorageNames.PoisonSuffix, StringComparison.Ordinal);
        return new QueueListener(
            function.Name,
            storage.RawQueue(name),
            isPoison ? null : storage.RawQueue(name + StorageNames.PoisonSuffix),
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
        configuration[$"AzureWebJobs.{function.Name}.Disabled"] is { } value
            && (value == "1" || value.Equals("true", StringComparison.OrdinalIgnoreCase));

    private static ILogger LoggerOf(FunctionMethod function, IServiceProvider services) =>
        services.GetRequiredService<ILoggerFactory>().CreateLogger($"Function.{function.Name}");
}

/// <summary>A method marked as a function, with its trigger.</summary>
/// <param name="Name">The function's name.</param>
/// <param name="Method">The method.</param>
/// <param name="Trigger">The attribute on the parameter that the trigger fills.</param>
internal sealed record FunctionMethod(string Name, MethodInfo Method, TriggerBindingAttribute Trigger)
{
    /// <summary>The functions of the types, by name.</summary>
    /// <exception cref="HostStartException">Two functions of one name, or a function without exactly one trigger.</exception>
    public static IReadOnlyList<FunctionMethod> Discover(IEnumerable<Type> types)
    {
        FunctionMethod[] functions =
        [
            .. from type in types
               from method in type.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly)
               let function = method.GetCustomAttribute<FunctionAttribute>()
               where function is not null
               orderby function.Name
               select new FunctionMethod(function.Name, method, TriggerOf(function.Name, method)),
        ];
        if (functions.GroupBy(function => function.Name, StringComparer.OrdinalIgnoreCase)
            .FirstOrDefault(group => group.Count() > 1) is { } twice)
            throw new HostStartException($"Two functions are named {twice.Key}; rename one.");
        return functions;
    }

    private static TriggerBindingAttribute TriggerOf(string name, MethodInfo method)
    {
        TriggerBindingAttribute[] triggers =
            [.. method.GetParameters().SelectMany(parameter => parameter.GetCustomAttributes<TriggerBindingAttribute>())];
        return triggers.Length == 1
            ? triggers[0]
            : throw new HostStartException($"The function {name} has {triggers.Length} trigger attributes; it needs exactly one.");
    }
}

/// <summary>Runs functions as the worker does: a scope and an instance an invocation.</summary>
internal sealed class FunctionInvoker(IServiceProvider services)
{
    /// <summary>Invokes the function and awaits it.</summary>
    /// <param name="function">The function.</param>
    /// <param name="triggerValue">The value of the trigger's parameter, by that parameter's type.</param>
    /// <param name="cancellationToken">Handed to a parameter of its type.</param>
    /// <returns>What the function, or its task, returned.</returns>
    public async Task<object?> InvokeAsync(FunctionMethod function, Func<Type, object?> triggerValue, CancellationToken cancellationToken)
    {
        await using AsyncServiceScope scope = services.CreateAsyncScope();
        object?[] arguments =
            [.. function.Method.GetParameters().Select(parameter => Bind(function, parameter, triggerValue, cancellationToken))];
        object? instance = function.Method.IsStatic ? null
            : ActivatorUtilities.CreateInstance(scope.ServiceProvider, function.Method.DeclaringType!);
        try
        {
            return await AwaitAsync(function.Method.Invoke(instance, BindingFlags.DoNotWrapExceptions, null, arguments, null));
        }
        finally
        {
            if (instance is IAsyncDisposable asyncDisposable) await asyncDisposable.DisposeAsync();
            else (instance as IDisposable)?.Dispose();
        }
    }

    private static object? Bind(
        FunctionMethod function, ParameterInfo parameter, Func<Type, object?> triggerValue, CancellationToken cancellationToken) =>
        parameter.GetCustomAttribute<TriggerBindingAttribute>() is not null ? triggerValue(parameter.ParameterType)
        : parameter.ParameterType == typeof(CancellationToken) ? cancellationToken
        : throw new NotSupportedException(
            $"The parameter {parameter.Name} ({parameter.ParameterType.Name}) of the function {function.Name} can be bound to "
                + $"nothing here.");

    private static async Task<object?> AwaitAsync(object? result)
    {
        Type? type = result?.GetType();
        if (type == typeof(ValueTask) || (type is { IsGenericType: true } && type.GetGenericTypeDefinition() == typeof(ValueTask<>)))
            result = type.GetMethod(nameof(ValueTask.AsTask))!.Invoke(result, null);
        if (result is not Task task) return result;
        await task;
        // A task without a result is one of an internal type, VoidTaskResult.
        return task.GetType().GetProperty(nameof(Task<object>.Result)) is { PropertyType.IsVisible: true } property
            ? property.GetValue(task) : null;
    }
}
