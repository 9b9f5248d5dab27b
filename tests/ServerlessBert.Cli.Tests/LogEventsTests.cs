using System.Reflection;
using Microsoft.Extensions.Logging;
using ServerlessBert.Functions.Reviews;
using ServerlessBert.LocalHost;
using ServerlessBert.Pipeline.Operations;
using ServerlessBert.Trainer;

namespace ServerlessBert.Cli.Tests;

/// <summary>An event's id tells it apart in a log, wherever it was written.</summary>
public sealed class LogEventsTests
{
    private static readonly (string Area, int First, int Last)[] Ranges =
    [
        ("ServerlessBert.Pipeline.Telemetry.PipelineLog", 1, 599),
        ("ServerlessBert.Trainer.TrainerLog", 600, 699),
        ("ServerlessBert.LocalHost.HostLog", 700, 799),
        ("ServerlessBert.Functions", 800, 899),
    ];

    private static readonly (string Type, string Method, int Id)[] Events =
    [
        .. new[] { typeof(PipelineStatus), typeof(TrainerProgram), typeof(FunctionsHost), typeof(ClassifyBatch) }
            .SelectMany(type => type.Assembly.GetTypes())
            .SelectMany(type =>
                type.GetMethods(
                BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
            .Select(method =>
                (method.DeclaringType!.FullName!, method.Name, method.GetCustomAttribute<LoggerMessageAttribute>()?.EventId ?? 0))
            .Where(logged => logged.Item3 != 0),
    ];

    [Fact]
    public void No_two_events_have_one_id()
    {
        Assert.True(Events.Length > 60);
        foreach (var same in Events.GroupBy(logged => logged.Id))
            Assert.True(same.Count() == 1, $"{same.Key} is the id of {string.Join(" and ", same.Select(logged => logged.Method))}.");
    }

    [Fact]
    public void Each_area_has_its_range_of_ids()
    {
        foreach (var (type, method, id) in Events)
        {
            var range = Ranges.Single(range => type.StartsWith(range.Area, StringComparison.Ordinal));
            Assert.True(id >= range.First && id <= range.Last,
                $"{type}.{method} is event {id}; the range of its area is {range.First} to {range.Last}.");
        }
    }
}
