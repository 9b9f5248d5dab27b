using System.Text.Json;
using System.Text.RegularExpressions;
using ServerlessBert.Pipeline.Storage;

namespace ServerlessBert.Infrastructure.Tests;

public sealed class FunctionsAppTests
{
    private static readonly Template Module = Bicep.Template.Module("functions");
    private static readonly JsonElement App = Module.Resource("Microsoft.App/containerApps");

    [Fact]
    public void It_is_a_functions_app_on_the_Consumption_profile()
    {
        Assert.Equal("functionapp", App.GetProperty("kind").GetString());
        Assert.Equal("Consumption", App.At("properties.workloadProfileName").GetString());
    }

    [Fact]
    public void It_scales_to_zero_by_default()
    {
        Assert.Equal("[parameters('minReplicas')]", App.At("properties.template.scale.minReplicas").GetString());
        Assert.Equal(0, Bicep.Template.Parameter("functionsMinReplicas").GetProperty("defaultValue").GetInt32());
    }

    [Fact]
    public void It_scales_by_every_queue_that_a_function_listens_to_and_no_other() =>
        Assert.Equal(Triggers.Queues.Order(), Module.Variable("queueRules").EnumerateArray().Select(rule => rule.GetProperty("queue").GetString()).Order());

    [Fact]
    public void Its_queue_rules_ask_as_its_identity()
    {
        var rules = Assert.Single(Module.Variable("copy").EnumerateArray(), copy => copy.GetProperty("name").GetString() == "scaleRules");
        var custom = rules.At("input.custom");
        Assert.Equal("azure-queue", custom.GetProperty("type").GetString());
        Assert.Equal("[parameters('identity').id]", custom.GetProperty("identity").GetString());
        Assert.False(custom.TryGetProperty("auth", out _));
        Assert.Equal(["accountName", "queueLength", "queueName"], custom.GetProperty("metadata").EnumerateObject().Select(entry => entry.Name).Order());
        Assert.Equal("[parameters('storageAccountName')]", custom.At("metadata.accountName").GetString());
        Assert.Equal("[if(parameters('ownScaleRules'), concat(variables('scaleRules'), variables('otherRules')), createArray())]", App.At("properties.template.scale.rules").GetString());
        Assert.Equal("[parameters('ownScaleRules')]", App.At("properties.template.scale.allowScalingRuleOverride").GetString());
    }

    [Fact]
    public void Its_timers_wake_it()
    {
        var cron = Module.Variable("otherRules").EnumerateArray().Single(rule => rule.GetProperty("name").GetString() == "timers").GetProperty("custom");
        Assert.Equal("cron", cron.GetProperty("type").GetString());
        Assert.Equal("1", cron.At("metadata.desiredReplicas").GetString());
    }

    [Fact]
    public void Its_port_is_the_one_that_its_image_listens_on()
    {
        int port = App.At("properties.configuration.ingress.targetPort").GetInt32();
        Assert.Matches($@"ASPNETCORE_URLS=http://\+:{port}\s", Repository.Read("infra", "functions.Dockerfile"));
        Assert.False(App.At("properties.configuration.ingress.allowInsecure").GetBoolean());
    }

    [Fact]
    public void Each_app_has_its_own_identity()
    {
        Assert.Equal("[reference('identity').outputs.functions.value]", Bicep.Template.Json.At("resources.functions.properties.parameters.identity.value").GetString());
        Assert.Equal(2, Bicep.Template.Resources("Microsoft.ManagedIdentity/userAssignedIdentities").Length);
        Assert.Equal("[parameters('identity').id]", App.At("properties.configuration.registries")[0].GetProperty("identity").GetString());
    }

    [Fact]
    public void The_document_names_the_routes_that_the_code_has()
    {
        string texts = Repository.Read("docs", "deploy.md") + Repository.Read("docs", "kubernetes.md") + Repository.Read("infra", "main.bicep");
        var named = Regex.Matches(texts, "/api/[a-z]+").Select(match => match.Value).Distinct();
        Assert.Equal(Triggers.Routes.Order(), named.Order());
    }

    [Fact]
    public void The_host_asks_the_same_account_as_the_pipeline() =>
        Assert.All(App.Environment().Keys.Where(name => name.Contains("__accountName", StringComparison.Ordinal)), name => Assert.StartsWith(PipelineStorage.ConnectionSection, name));
}
