using System.Text.Json;
using System.Text.RegularExpressions;

namespace ServerlessBert.Infrastructure.Tests;

public sealed class SecretsTests
{
    /// <summary>Says where telemetry goes; it opens nothing while the component refuses keys, which is checked below.</summary>
    private const string TelemetryAddress = "APPLICATIONINSIGHTS_CONNECTION_STRING";

    /// <summary>Says in what kind of store the host keeps the keys that it makes; it holds none.</summary>
    private const string KeyStore = "AzureWebJobsSecretStorageType";

    private static readonly string Text = Bicep.Main.Output;

    [Fact]
    public void The_template_asks_for_no_key()
    {
        Assert.DoesNotMatch(@"\blist[A-Z]\w*\(", Text);
        Assert.DoesNotMatch(@"\bgetSecret\(", Text);
    }

    [Fact]
    public void The_template_has_no_secret_property_or_parameter()
    {
        var names = Bicep.Template.Json.Properties().Select(property => property.Name).ToHashSet();
        Assert.DoesNotContain("secrets", names);
        Assert.DoesNotContain("secretRef", names);
        Assert.DoesNotContain("passwordSecretRef", names);
        Assert.DoesNotContain("sharedKey", names);
        Assert.DoesNotContain("auth", names);
        Assert.DoesNotMatch(@"""type"": ""secure(String|Object)""", Text);
    }

    [Fact]
    public void The_template_holds_no_credential() =>
        Assert.DoesNotMatch("(AccountKey|SharedAccessKey|SharedAccessSignature|InstrumentationKey|Password|sig)=", Text);

    [Fact]
    public void No_setting_is_a_key_or_a_connection_string()
    {
        foreach (var app in Bicep.Template.Resources("Microsoft.App/containerApps").Concat(Bicep.Template.Resources("Microsoft.App/jobs")))
        {
            var settings = app.Environment();
            foreach (var (name, value) in settings.Where(setting => setting.Key is not (TelemetryAddress or KeyStore)))
            {
                Assert.DoesNotMatch("(?i)(key|secret|password|connection_?string|token)", name);
                Assert.DoesNotMatch("(?i)(connectionstring|primarykey|\\.keys?\\b)", value);
            }
        }
    }

    [Fact]
    public void No_output_is_a_key_or_a_connection_string()
    {
        foreach (var output in Bicep.Template.All().SelectMany(Outputs))
        {
            Assert.DoesNotMatch("(?i)(key|secret|password|connection|token|sas)", output.Name);
            Assert.DoesNotMatch(
                @"(?i)(connection_?string|instrumentationkey|\.\w*key\w*|password|secret)", output.Value.GetProperty("value").GetRawText());
        }
    }

    [Fact]
    public void What_could_take_keys_refuses_them()
    {
        Assert.False(Bicep.Template.Resource("Microsoft.Storage/storageAccounts").At("properties.allowSharedKeyAccess").GetBoolean());
        Assert.True(Bicep.Template.Resource("Microsoft.Insights/components").At("properties.DisableLocalAuth").GetBoolean());
        Assert.True(Bicep.Template.Resource("Microsoft.OperationalInsights/workspaces").At("properties.features.disableLocalAuth")
            .GetBoolean());
        Assert.False(Bicep.Template.Resource("Microsoft.ContainerRegistry/registries").At("properties.adminUserEnabled").GetBoolean());
    }

    [Fact]
    public void The_environments_logs_go_out_without_the_workspaces_key() => Assert.Equal(
        "azure-monitor",
        Bicep.Template.Resource("Microsoft.App/managedEnvironments").At("properties.appLogsConfiguration.destination").GetString());

    [Fact]
    public void No_file_of_the_deployment_holds_a_credential()
    {
        string[] files =
        [
            Repository.PathOf("azure.yaml"), Repository.PathOf("compose.yaml"),
            .. Directory.GetFiles(Repository.PathOf("infra"), "*", SearchOption.AllDirectories),
        ];
        foreach (string file in files)
            Assert.False(Regex.IsMatch(
                File.ReadAllText(file), "(AccountKey|SharedAccessSignature|SharedAccessKey|InstrumentationKey)=|[?&]sig="), file);
    }

    private static IEnumerable<JsonProperty> Outputs(Template template) =>
        template.Json.TryGetProperty("outputs", out var outputs) ? outputs.EnumerateObject() : [];
}
