using System.Reflection;
using ServerlessBert.Functions;

namespace ServerlessBert.Infrastructure.Tests;

/// <summary>What the functions' trigger attributes say.</summary>
internal static class Triggers
{
    private static readonly CustomAttributeData[] Attributes =
    [
        .. typeof(Settings).Assembly.GetTypes()
            .SelectMany(type => type.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly))
            .SelectMany(method => method.GetParameters())
            .SelectMany(parameter => parameter.CustomAttributes),
    ];

    /// <summary>Queues that functions listen to.</summary>
    public static string[] Queues { get; } = FirstArguments("QueueTriggerAttribute");

    /// <summary>Settings between percent signs in timers' schedules.</summary>
    public static string[] ScheduleSettings { get; } = [.. FirstArguments("TimerTriggerAttribute").Select(schedule => schedule.Trim('%'))];

    /// <summary>HTTP routes with the host's prefix.</summary>
    public static string[] Routes { get; } =
        [.. Named("HttpTriggerAttribute")
            .Select(attribute => "/api/" + attribute.NamedArguments.Single(argument => argument.MemberName == "Route").TypedValue.Value)];

    private static IEnumerable<CustomAttributeData> Named(string name) =>
        Attributes.Where(attribute => attribute.AttributeType.Name == name);

    private static string[] FirstArguments(string name) =>
        [.. Named(name).Select(attribute => (string)attribute.ConstructorArguments[0].Value!)];
}
