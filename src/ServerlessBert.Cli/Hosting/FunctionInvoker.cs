using System.Reflection;
using Microsoft.Azure.Functions.Worker.Extensions.Abstractions;
using Microsoft.Extensions.DependencyInjection;

namespace ServerlessBert.Cli.Hosting;

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
        object?[] arguments = [.. function.Method.GetParameters().Select(parameter => Bind(function, parameter, triggerValue, cancellationToken))];
        object? instance = function.Method.IsStatic ? null : ActivatorUtilities.CreateInstance(scope.ServiceProvider, function.Method.DeclaringType!);
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

    private static object? Bind(FunctionMethod function, ParameterInfo parameter, Func<Type, object?> triggerValue, CancellationToken cancellationToken) =>
        parameter.GetCustomAttribute<TriggerBindingAttribute>() is not null ? triggerValue(parameter.ParameterType)
        : parameter.ParameterType == typeof(CancellationToken) ? cancellationToken
        : throw new NotSupportedException($"The parameter {parameter.Name} ({parameter.ParameterType.Name}) of the function {function.Name} can be bound to nothing here.");

    private static async Task<object?> AwaitAsync(object? result)
    {
        Type? type = result?.GetType();
        if (type == typeof(ValueTask) || (type is { IsGenericType: true } && type.GetGenericTypeDefinition() == typeof(ValueTask<>)))
            result = type.GetMethod(nameof(ValueTask.AsTask))!.Invoke(result, null);
        if (result is not Task task) return result;
        await task;
        // A task without a result is one of an internal type, VoidTaskResult.
        return task.GetType().GetProperty(nameof(Task<object>.Result)) is { PropertyType.IsVisible: true } property ? property.GetValue(task) : null;
    }
}
