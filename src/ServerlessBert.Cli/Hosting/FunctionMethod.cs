using System.Reflection;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Extensions.Abstractions;

namespace ServerlessBert.Cli.Hosting;

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
        if (functions.GroupBy(function => function.Name, StringComparer.OrdinalIgnoreCase).FirstOrDefault(group => group.Count() > 1) is { } twice)
            throw new HostStartException($"Two functions are named {twice.Key}; rename one.");
        return functions;
    }

    private static TriggerBindingAttribute TriggerOf(string name, MethodInfo method)
    {
        TriggerBindingAttribute[] triggers = [.. method.GetParameters().SelectMany(parameter => parameter.GetCustomAttributes<TriggerBindingAttribute>())];
        return triggers.Length == 1
            ? triggers[0]
            : throw new HostStartException($"The function {name} has {triggers.Length} trigger attributes; it needs exactly one.");
    }
}
