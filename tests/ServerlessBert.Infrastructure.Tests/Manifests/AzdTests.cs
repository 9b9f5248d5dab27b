using System.Text.Json;
using System.Text.RegularExpressions;

namespace ServerlessBert.Infrastructure.Tests;

public sealed class AzdTests
{
    private static readonly JsonElement Project = Yaml.Read("azure.yaml").Single();

    [Theory]
    [InlineData("functions", "app")]
    [InlineData("trainer", "job")]
    public void A_service_is_an_image_that_goes_into_the_resource_with_its_tag(string service, string symbol)
    {
        var entry = Project.At($"services.{service}");
        Assert.Equal("containerapp", entry.GetProperty("host").GetString());
        Assert.True(File.Exists(Repository.PathOf(entry.At("docker.path").GetString()!)));
        Assert.True(entry.At("docker.remoteBuild").GetBoolean());
        var resource = Bicep.Template.Module(service).Symbol(symbol);
        Assert.Equal(resource.GetProperty("apiVersion").GetString(), entry.GetProperty("apiVersion").GetString());
        Assert.Contains($"'azd-service-name', '{service}'", resource.GetProperty("tags").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Its_template_exists()
    {
        var infra = Project.GetProperty("infra");
        Assert.Equal("bicep", infra.GetProperty("provider").GetString());
        Assert.True(File.Exists(
            Repository.PathOf(infra.GetProperty("path").GetString()!, infra.GetProperty("module").GetString() + ".bicep")));
    }

    [Fact]
    public void It_says_which_azd_it_needs()
    {
        Assert.Matches(@"^>= \d+\.\d+\.\d+$", Project.At("requiredVersions.azd").GetString());
        Assert.Matches(@"^serverlessbert@\d+\.\d+\.\d+$", Project.At("metadata.template").GetString());
    }

    [Fact]
    public void Without_a_word_about_GPUs_the_trainers_image_is_the_small_one()
    {
        Assert.Equal(["TRAINER_DEVICE=${TRAINER_DEVICE=cpu}"], Project.At("services.trainer.docker.buildArgs").Strings());
        Assert.Equal("", Bicep.Template.Parameter("gpuProfileType").GetProperty("defaultValue").GetString());
    }

    [Fact]
    public void It_has_no_hooks() => Assert.DoesNotContain("hooks", Project.Properties().Select(property => property.Name));

    [Fact]
    public void Each_parameter_that_it_fills_in_is_one_of_the_template()
    {
        var file = JsonDocument.Parse(Repository.Read("infra", "main.parameters.json")).RootElement.GetProperty("parameters")
            .EnumerateObject().ToList();
        var parameters = Bicep.Template.Json.GetProperty("parameters");
        Assert.All(file, entry => Assert.True(parameters.TryGetProperty(entry.Name, out _), entry.Name));
        // All can be set by azd env set, but the month of now, which nobody is to set.
        Assert.Equal(parameters.EnumerateObject().Select(parameter => parameter.Name).Where(name => name != "thisMonth").Order(),
            file.Select(entry => entry.Name).Order());
        Assert.Distinct(file.Select(entry => entry.Value.GetProperty("value").GetString()!.Split('=')[0]));
        Assert.All(file, entry => Assert.Matches(@"^\$\{\w+(=[^}]*)?\}$", entry.Value.GetProperty("value").GetString()!));
    }

    [Fact]
    public void A_default_in_the_parameters_file_is_the_templates()
    {
        var file = JsonDocument.Parse(Repository.Read("infra", "main.parameters.json")).RootElement.GetProperty("parameters");
        foreach (var entry in file.EnumerateObject())
        {
            var match = Regex.Match(entry.Value.GetProperty("value").GetString()!, @"=(.*)\}$");
            if (match.Success) Assert.Equal(
                Bicep.Template.Parameter(entry.Name).GetProperty("defaultValue").ToString(), match.Groups[1].Value, ignoreCase: true);
        }
    }

    [Fact]
    public void It_can_set_only_what_a_word_can_say()
    {
        // azd makes a bool and a number of a word, and no list and no object.
        Assert.All(Bicep.Template.Json.GetProperty("parameters").EnumerateObject(),
            parameter => Assert.Contains(parameter.Value.GetProperty("type").GetString(), (string[])["string", "int", "bool"]));
    }

    [Theory]
    [InlineData("AZURE_LOCATION")]
    [InlineData("AZURE_TENANT_ID")]
    [InlineData("AZURE_RESOURCE_GROUP")]
    [InlineData("AZURE_CONTAINER_ENVIRONMENT_NAME")]
    [InlineData("STORAGE_ACCOUNT_NAME")]
    [InlineData("FUNCTIONS_APP_NAME")]
    [InlineData("FUNCTIONS_HOST_ID")]
    [InlineData("FUNCTIONS_URL")]
    [InlineData("TRAINER_JOB_NAME")]
    [InlineData("EVENT_TOPIC_NAME")]
    [InlineData("APPLICATIONINSIGHTS_NAME")]
    [InlineData("WORKBOOK_URL")]
    public void What_somebody_needs_next_is_an_output(string name) =>
        Assert.True(Bicep.Template.Json.GetProperty("outputs").TryGetProperty(name, out _));

    [Fact]
    public void It_finds_the_registry_among_the_outputs() =>
        Assert.True(Bicep.Template.Json.GetProperty("outputs").TryGetProperty("AZURE_CONTAINER_REGISTRY_ENDPOINT", out _));
}
