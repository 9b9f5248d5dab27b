using System.Text.Json;
using System.Text.RegularExpressions;

namespace ServerlessBert.Infrastructure.Tests;

public sealed class AzdTests
{
    private static readonly JsonElement Project = Yaml.Read("azure.yaml").Single();

    [Theory]
    [InlineData("functions", "Microsoft.App/containerApps")]
    [InlineData("trainer", "Microsoft.App/jobs")]
    public void A_service_is_an_image_that_goes_into_the_resource_with_its_tag(string service, string type)
    {
        var entry = Project.At($"services.{service}");
        Assert.Equal("containerapp", entry.GetProperty("host").GetString());
        Assert.True(File.Exists(Repository.PathOf(entry.At("docker.path").GetString()!)));
        Assert.True(entry.At("docker.remoteBuild").GetBoolean());
        var resource = Bicep.Template.Resource(type);
        Assert.Equal(resource.GetProperty("apiVersion").GetString(), entry.GetProperty("apiVersion").GetString());
        Assert.Contains($"'azd-service-name', '{service}'", resource.GetProperty("tags").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Its_template_exists()
    {
        var infra = Project.GetProperty("infra");
        Assert.Equal("bicep", infra.GetProperty("provider").GetString());
        Assert.True(File.Exists(Repository.PathOf(infra.GetProperty("path").GetString()!, infra.GetProperty("module").GetString() + ".bicep")));
    }

    [Fact]
    public void It_has_no_hooks() => Assert.DoesNotContain("hooks", Project.Properties().Select(property => property.Name));

    [Fact]
    public void Each_parameter_that_it_fills_in_is_one_of_the_template()
    {
        var file = JsonDocument.Parse(Repository.Read("infra", "main.parameters.json")).RootElement.GetProperty("parameters").EnumerateObject().ToList();
        var parameters = Bicep.Template.Json.GetProperty("parameters");
        Assert.All(file, entry => Assert.True(parameters.TryGetProperty(entry.Name, out _), entry.Name));
        Assert.All(parameters.EnumerateObject().Where(parameter => !parameter.Value.TryGetProperty("defaultValue", out _)), parameter => Assert.Contains(parameter.Name, file.Select(entry => entry.Name)));
        Assert.All(file, entry => Assert.Matches(@"^\$\{\w+(=[^}]*)?\}$", entry.Value.GetProperty("value").GetString()!));
    }

    [Fact]
    public void A_default_in_the_parameters_file_is_the_templates()
    {
        var file = JsonDocument.Parse(Repository.Read("infra", "main.parameters.json")).RootElement.GetProperty("parameters");
        foreach (var entry in file.EnumerateObject())
        {
            var match = Regex.Match(entry.Value.GetProperty("value").GetString()!, @"=(.*)\}$");
            if (match.Success) Assert.Equal(Bicep.Template.Parameter(entry.Name).GetProperty("defaultValue").ToString(), match.Groups[1].Value, ignoreCase: true);
        }
    }

    [Fact]
    public void It_finds_the_registry_among_the_outputs() =>
        Assert.True(Bicep.Template.Json.GetProperty("outputs").TryGetProperty("AZURE_CONTAINER_REGISTRY_ENDPOINT", out _));
}
