using System.Text.Json;

namespace ServerlessBert.Infrastructure.Tests;

public sealed class ComposeTests
{
    private static readonly JsonElement Services = Yaml.Read("compose.yaml").Single().GetProperty("services");

    [Theory]
    [InlineData("functions")]
    [InlineData("trainer")]
    public void It_builds_the_images_that_Azure_runs(string service) =>
        Assert.Equal(Repository.PathOf($"infra/{service}.Dockerfile"), Repository.PathOf(Services.GetProperty(service).At("build.dockerfile").GetString()!));

    [Fact]
    public void Its_Azurite_is_the_version_that_the_tests_run()
    {
        string version = JsonDocument.Parse(Repository.Read("eng", "azurite", "package.json")).RootElement.At("dependencies.azurite").GetString()!;
        Assert.Equal($"mcr.microsoft.com/azure-storage/azurite:{version}", Services.At("azurite.image").GetString());
    }

    [Fact]
    public void Only_this_machine_reaches_its_ports()
    {
        foreach (var service in Services.EnumerateObject())
            if (service.Value.TryGetProperty("ports", out var ports)) Assert.All(ports.Strings(), port => Assert.StartsWith("127.0.0.1:", port));
    }

    [Fact]
    public void The_functions_answer_where_sbert_host_does() => Assert.Equal(["127.0.0.1:7071:8080"], Services.At("functions.ports").Strings());
}
