using System.Diagnostics.Metrics;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;
using ServerlessBert.Pipeline.Telemetry;
using ServerlessBert.Pipeline.Runs;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Trainer;

namespace ServerlessBert.Infrastructure.Tests;

public sealed class MonitoringTests
{
    private static readonly Template Module = Bicep.Template.Module("alerts");

    private static readonly Dictionary<string, string> Queries =
        Module.Variable("rules").EnumerateArray()
            .ToDictionary(rule => rule.GetProperty("name").GetString()!, rule => rule.GetProperty("query").GetString()!);

    [Fact]
    public void Someone_is_told_of_what_needs_somebody() => Assert.Equal(
        ["logs-capped", "model-not-loadable", "overdue-files", "poison-messages", "scaling-failed", "training-failed"],
            Queries.Keys.Order());

    [Fact]
    public void The_queries_name_what_the_code_names()
    {
        Assert.Contains($"\"{StorageNames.PoisonSuffix}/messages\"", Queries["poison-messages"], StringComparison.Ordinal);
        Assert.Contains($"container == \"{StorageNames.Reviews}\"", Queries["overdue-files"], StringComparison.Ordinal);
        Assert.Contains($"container == \"{StorageNames.Predictions}\"", Queries["overdue-files"], StringComparison.Ordinal);
        Assert.Contains("parameters('trainerJobName')", Queries["training-failed"], StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_is_overdue_by_itself_whatever_becomes_of_others()
    {
        Assert.Contains("by file = blob", Queries["overdue-files"], StringComparison.Ordinal);
        // What its predictions are called, without which every file would be overdue.
        string ending = Regex.Match(Queries["overdue-files"], "blob endswith \"([^\"]+)\"").Groups[1].Value;
        var id = RunId.Compute("june.csv", "");
        var run = new Run
        {
            Id = id,
            Blob = BlobName.Parse("june.csv"),
            ETag = "",
            Model = "",
            State = default,
            Dropped = default,
            Started = default
        };
        Assert.Equal("june.csv" + ending, run.PredictionsName);
        Assert.Contains($"strlen(blob) - {ending.Length}", Queries["overdue-files"], StringComparison.Ordinal);
        Assert.Equal("P2D", Module.Variable("rules")[0].GetProperty("lookBack").GetString());
    }

    [Theory]
    [InlineData(TrainerExitCode.Done, false)]
    [InlineData(TrainerExitCode.Failed, true)]
    [InlineData(TrainerExitCode.Usage, true)]
    [InlineData(TrainerExitCode.Interrupted, false)]
    [InlineData(TrainerExitCode.Busy, false)]
    [InlineData(TrainerExitCode.TryAgain, false)]
    [InlineData(137, true)]
    [InlineData(134, true)]
    public void A_training_has_failed_where_it_ended_with_no_decision_of_its_own(int exitCode, bool isTold)
    {
        string pattern =
            Regex.Match(Queries["training-failed"], "matches regex \"([^\"]+)\"").Groups[1].Value.Replace(
            "''", "'", StringComparison.Ordinal);
        Assert.Equal(isTold,
            Regex.IsMatch($"Container 'trainer' was terminated with exit code '{exitCode}' and reason 'ProcessExited'.", pattern));
    }

    [Fact]
    public void A_model_that_cannot_be_loaded_is_known_by_the_message_that_the_code_logs()
    {
        string pattern = Regex.Match(Queries["model-not-loadable"], "matches regex \"([^\"]+)\"").Groups[1].Value;
        var messages = typeof(StorageNames).Assembly.GetTypes()
            .SelectMany(type => type.GetMethods(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic))
            .SelectMany(method => method.GetCustomAttributes<LoggerMessageAttribute>());
        Assert.Equal(LogLevel.Error, Assert.Single(messages, message => Regex.IsMatch(message.Message, pattern)).Level);
    }

    [Fact]
    public void An_event_that_is_not_delivered_raises_an_alert()
    {
        var alert = Module.Resource("Microsoft.Insights/metricAlerts");
        Assert.Equal("DeadLetteredCount", alert.At("properties.criteria.allOf")[0].GetProperty("metricName").GetString());
        Assert.Equal(["[parameters('eventTopicId')]"], alert.At("properties.scopes").Strings());
    }

    [Fact]
    public void The_workbook_shows_each_metric_of_the_code_and_no_other()
    {
        var names = new HashSet<string>();
        using var listener =
            new MeterListener
            {
                InstrumentPublished = (instrument, _) =>
            { if (instrument.Meter.Name == PipelineMetrics.MeterName) names.Add(instrument.Name); }
            };
        listener.Start();
        RuntimeHelpers.RunClassConstructor(typeof(PipelineMetrics).TypeHandle);
        string workbook = Repository.Read("infra", "workbook.json");
        Assert.Equal(names.Order(), Regex.Matches(workbook, "sbert\\.[a-z.]+").Select(match => match.Value).Distinct().Order());
        Assert.Equal(workbook, Bicep.Template.Module("workbook").Variable("$fxv#0").GetString());
    }

    [Fact]
    public void Each_alert_is_deployed_on_and_asks_the_workspace()
    {
        var alert = Module.Resource("Microsoft.Insights/scheduledQueryRules");
        Assert.Equal("[length(variables('rules'))]", alert.At("copy.count").GetString());
        Assert.True(alert.At("properties.enabled").GetBoolean());
        Assert.Equal(["[parameters('workspaceId')]"], alert.At("properties.scopes").Strings());
    }

    [Fact]
    public void The_logs_that_the_alerts_ask_are_collected()
    {
        var settings = Bicep.Template.Resources("Microsoft.Insights/diagnosticSettings");
        var categories = settings.SelectMany(setting => setting.At("properties.logs").EnumerateArray())
            .Select(log => log.GetProperty("category").GetString());
        Assert.Equal(["ContainerAppConsoleLogs", "ContainerAppSystemLogs", "StorageWrite", "StorageWrite"], categories.Order());
    }

    [Fact]
    public void Logs_have_a_daily_limit() =>
        Assert.Equal(1, Bicep.Template.Resource("Microsoft.OperationalInsights/workspaces").At("properties.workspaceCapping.dailyQuotaGb")
            .GetInt32());
}
