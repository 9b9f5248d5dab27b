using ServerlessBert.Pipeline.Storage;

namespace ServerlessBert.Infrastructure.Tests;

public sealed class MonitoringTests
{
    private static readonly Template Module = Bicep.Template.Module("alerts");

    private static readonly Dictionary<string, string> Queries =
        Module.Variable("rules").EnumerateArray().ToDictionary(rule => rule.GetProperty("name").GetString()!, rule => rule.GetProperty("query").GetString()!);

    [Fact]
    public void Someone_is_told_of_poison_messages_failed_executions_and_missing_predictions() =>
        Assert.Equal(["failed-job-executions", "no-predictions", "poison-messages"], Queries.Keys.Order());

    [Fact]
    public void The_queries_name_what_the_code_names()
    {
        Assert.Contains($"\"{StorageNames.PoisonSuffix}/messages\"", Queries["poison-messages"], StringComparison.Ordinal);
        Assert.Contains($"container == \"{StorageNames.Reviews}\"", Queries["no-predictions"], StringComparison.Ordinal);
        Assert.Contains($"container == \"{StorageNames.Predictions}\"", Queries["no-predictions"], StringComparison.Ordinal);
        Assert.Contains("parameters('trainerJobName')", Queries["failed-job-executions"], StringComparison.Ordinal);
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
        var categories = settings.SelectMany(setting => setting.At("properties.logs").EnumerateArray()).Select(log => log.GetProperty("category").GetString());
        Assert.Equal(["ContainerAppConsoleLogs", "ContainerAppSystemLogs", "StorageWrite", "StorageWrite"], categories.Order());
    }

    [Fact]
    public void A_budget_tells_before_it_is_spent()
    {
        var budget = Bicep.Template.Resource("Microsoft.Consumption/budgets").GetProperty("properties");
        Assert.Equal("Monthly", budget.GetProperty("timeGrain").GetString());
        Assert.Contains(budget.GetProperty("notifications").EnumerateObject(), notification => notification.Value.GetProperty("threshold").GetInt32() < 100);
        Assert.All(budget.GetProperty("notifications").EnumerateObject(), notification => Assert.Equal(["Owner"], notification.Value.GetProperty("contactRoles").Strings()));
    }

    [Fact]
    public void Logs_have_a_daily_limit() =>
        Assert.Equal(1, Bicep.Template.Resource("Microsoft.OperationalInsights/workspaces").At("properties.workspaceCapping.dailyQuotaGb").GetInt32());
}
