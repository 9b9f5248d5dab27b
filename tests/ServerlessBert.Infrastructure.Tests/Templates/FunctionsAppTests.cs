using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using ServerlessBert.Pipeline.Storage;

namespace ServerlessBert.Infrastructure.Tests;

public sealed class FunctionsAppTests
{
    private static readonly Template Module = Bicep.Template.Module("functions");
    private static readonly JsonElement App = Module.Symbol("app");
    private static readonly JsonElement PlainApp = Module.Symbol("plainApp");
    private static readonly JsonElement Configuration = Module.Variable("configuration");

    [Fact]
    public void It_is_a_functions_app_on_the_Consumption_profile()
    {
        Assert.Equal("functionapp", App.GetProperty("kind").GetString());
        Assert.Equal("Consumption", App.At("properties.workloadProfileName").GetString());
        Assert.Equal("[equals(parameters('kind'), 'functionapp')]", App.GetProperty("condition").GetString());
        Assert.Equal("functionapp", Bicep.Template.Parameter("functionsKind").GetProperty("defaultValue").GetString());
    }

    [Fact]
    public void Without_the_preview_it_is_a_plain_app_that_differs_in_nothing_else()
    {
        Assert.Equal("[equals(parameters('kind'), 'containerapp')]", PlainApp.GetProperty("condition").GetString());
        Assert.False(PlainApp.TryGetProperty("kind", out _));
        Assert.DoesNotContain("preview", PlainApp.GetProperty("apiVersion").GetString(), StringComparison.Ordinal);
        Assert.Equal(App.GetProperty("name").GetString(), PlainApp.GetProperty("name").GetString());

        var functionsApp = JsonNode.Parse(App.GetRawText())!.AsObject();
        var plain = JsonNode.Parse(PlainApp.GetRawText())!.AsObject();
        foreach (string name in (string[])["condition", "apiVersion", "kind"])
        {
            functionsApp.Remove(name);
            plain.Remove(name);
        }
        Assert.True(functionsApp["properties"]!["template"]!["scale"]!.AsObject().Remove("allowScalingRuleOverride"));
        Assert.Equal(functionsApp.ToJsonString(), plain.ToJsonString());
    }

    [Fact]
    public void Its_host_makes_its_own_keys_where_all_replicas_find_them() =>
        Assert.Equal("blob", App.Environment()["AzureWebJobsSecretStorageType"]);

    [Fact]
    public void Its_replicas_are_one_host_by_an_id_that_Azure_allows()
    {
        Assert.Equal("[variables('hostId')]", App.Environment()["AzureFunctionsWebHost__hostid"]);
        Assert.Equal("[take(parameters('name'), 32)]", Module.Variable("hostId").GetString());
        // A token of uniqueString is 13 letters and digits: so long a name is not cut, and cannot end in a hyphen.
        string name = Regex.Match(
            Bicep.Template.Json.At("resources.functions.properties.parameters.name.value").GetString()!,
            @"^\[format\('([a-z-]+)\{0\}', variables\('token'\)\)\]$").Groups[1].Value;
        Assert.InRange(name.Length + 13, 14, 32);
    }

    [Fact]
    public void It_has_time_to_give_back_what_it_holds()
    {
        Assert.Equal(60, Module.Variable("gracePeriod").GetInt32());
        Assert.Equal("[variables('gracePeriod')]", App.At("properties.template.terminationGracePeriodSeconds").GetString());
    }

    [Fact]
    public void Callers_sign_in_where_an_Entra_application_is_named()
    {
        var signIn = Module.Symbol("signIn");
        Assert.Equal("[not(empty(parameters('entraClientId')))]", signIn.GetProperty("condition").GetString());
        Assert.Equal("Return401", signIn.At("properties.globalValidation.unauthenticatedClientAction").GetString());
        Assert.Equal("[parameters('entraClientId')]",
            signIn.At("properties.identityProviders.azureActiveDirectory.registration.clientId").GetString());
        Assert.Equal("", Bicep.Template.Parameter("entraClientId").GetProperty("defaultValue").GetString());
    }

    [Fact]
    public void It_scales_to_zero_by_default()
    {
        Assert.Equal("[parameters('minReplicas')]", App.At("properties.template.scale.minReplicas").GetString());
        Assert.Equal(0, Bicep.Template.Parameter("functionsMinReplicas").GetProperty("defaultValue").GetInt32());
    }

    [Fact]
    public void It_scales_by_every_queue_that_a_function_listens_to_and_no_other() =>
        Assert.Equal(Triggers.Queues.Order(),
            Module.Variable("queueRules").EnumerateArray().Select(rule => rule.GetProperty("queue").GetString()).Order());

    [Fact]
    public void Its_queue_rules_ask_as_its_identity()
    {
        var rules = Assert.Single(Module.Variable("copy").EnumerateArray(), copy => copy.GetProperty("name").GetString() == "scaleRules");
        var custom = rules.At("input.custom");
        Assert.Equal("azure-queue", custom.GetProperty("type").GetString());
        Assert.Equal("[parameters('identity').id]", custom.GetProperty("identity").GetString());
        Assert.False(custom.TryGetProperty("auth", out _));
        Assert.Equal(["accountName", "queueLength", "queueName"],
            custom.GetProperty("metadata").EnumerateObject().Select(entry => entry.Name).Order());
        Assert.Equal("[parameters('storageAccountName')]", custom.At("metadata.accountName").GetString());
        Assert.Equal("[concat(variables('scaleRules'), variables('otherRules'))]", App.At("properties.template.scale.rules").GetString());
        Assert.True(App.At("properties.template.scale.allowScalingRuleOverride").GetBoolean());
    }

    [Fact]
    public void Its_timers_wake_it()
    {
        var cron = Module.Variable("otherRules").EnumerateArray().Single(rule => rule.GetProperty("name").GetString() == "timers")
            .GetProperty("custom");
        Assert.Equal("cron", cron.GetProperty("type").GetString());
        Assert.Equal("1", cron.At("metadata.desiredReplicas").GetString());
    }

    [Fact]
    public void Its_port_is_the_one_that_its_image_listens_on()
    {
        int port = Module.Variable("port").GetInt32();
        Assert.Equal("[variables('port')]", Configuration.At("ingress.targetPort").GetString());
        Assert.Matches($@"ASPNETCORE_URLS=http://\+:{port}\s", Repository.Read("infra", "functions.Dockerfile"));
        // Microsoft's own image, which stands in until there is one, listens on 80 unless it is told.
        Assert.Equal("[format('http://+:{0}', variables('port'))]", App.Environment()["ASPNETCORE_URLS"]);
        Assert.False(Configuration.At("ingress.allowInsecure").GetBoolean());
    }

    [Fact]
    public void Each_app_has_its_own_identity()
    {
        Assert.Equal("[reference('identity').outputs.functions.value]",
            Bicep.Template.Json.At("resources.functions.properties.parameters.identity.value").GetString());
        Assert.Equal(2, Bicep.Template.Resources("Microsoft.ManagedIdentity/userAssignedIdentities").Length);
        Assert.Equal("[parameters('identity').id]", Configuration.GetProperty("registries")[0].GetProperty("identity").GetString());
    }

    [Fact]
    public void The_document_names_the_routes_that_the_code_has()
    {
        string texts = Repository.Read("docs", "deploy.md") + Repository.Read("docs", "kubernetes.md")
            + Repository.Read("infra", "main.bicep");
        var named = Regex.Matches(texts, "/api/[a-z]+").Select(match => match.Value).Distinct();
        Assert.Equal(Triggers.Routes.Order(), named.Order());
    }

    [Fact]
    public void The_host_asks_the_same_account_as_the_pipeline() =>
        Assert.All(App.Environment().Keys.Where(name => name.Contains("__accountName", StringComparison.Ordinal)),
            name => Assert.StartsWith(PipelineStorage.ConnectionSection, name));
}
