using System.Text.Json;

namespace ServerlessBert.Infrastructure.Tests;

public sealed class ComposeTests
{
    private static readonly JsonElement Services = Yaml.Read("compose.yaml").Single().GetProperty("services");

    [Theory]
    [InlineData("functions")]
    [InlineData("trainer")]
    public void It_builds_the_images_that_Azure_runs(string service) =>
        Assert.Equal(Repository.PathOf($"infra/{service}.Dockerfile"),
            Repository.PathOf(Services.GetProperty(service).At("build.dockerfile").GetString()!));

    [Fact]
    public void Its_Azurite_is_the_version_that_the_tests_run()
    {
        string version = JsonDocument.Parse(Repository.Read("eng", "azurite", "package.json")).RootElement.At("dependencies.azurite")
            .GetString()!;
        Assert.StartsWith($"mcr.microsoft.com/azure-storage/azurite:{version}@sha256:", Services.At("azurite.image").GetString());
    }

    [Fact]
    public void Its_host_keeps_keys_and_timers_over_a_new_container()
    {
        var settings = Services.At("functions.environment");
        Assert.Equal(("serverlessbert", "blob"),
            (settings.GetProperty("AzureFunctionsWebHost__hostid").GetString(),
            settings.GetProperty("AzureWebJobsSecretStorageType").GetString()));
        Assert.Contains("azure-webjobs-secrets --name serverlessbert/host.json", Repository.Read("compose.yaml"), StringComparison.Ordinal);
        Assert.Equal("60s", Services.At("functions.stop_grace_period").GetString());
    }

    [Fact]
    public void The_apps_wait_until_the_storage_answers()
    {
        Assert.True(Services.GetProperty("azurite").TryGetProperty("healthcheck", out _));
        foreach (string service in (string[])["functions", "trainer"])
            Assert.Equal("service_healthy", Services.GetProperty(service).At("depends_on.azurite.condition").GetString());
    }

    [Fact]
    public void Only_this_machine_reaches_its_ports()
    {
        foreach (var service in Services.EnumerateObject())
            if (service.Value.TryGetProperty("ports", out var ports)) Assert.All(
                ports.Strings(), port => Assert.StartsWith("127.0.0.1:", port));
    }

    [Fact]
    public void The_functions_answer_where_sbert_host_does() =>
        Assert.Equal(["127.0.0.1:7071:8080"], Services.At("functions.ports").Strings());
}
