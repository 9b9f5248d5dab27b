using System.Text.Json;
using System.Text.RegularExpressions;

namespace ServerlessBert.Infrastructure.Tests;

public sealed class WorkflowTests
{
    public static TheoryData<string> Workflows =>
        new(Directory.GetFiles(Repository.PathOf(".github", "workflows")).Select(file => Path.GetFileName(file)));

    [Theory]
    [MemberData(nameof(Workflows))]
    public void It_may_read_and_sign_in_and_nothing_else_and_it_ends(string workflow)
    {
        var document = Read(workflow);
        Assert.All(document.GetProperty("permissions").EnumerateObject(),
            permission => Assert.Contains(
            $"{permission.Name}: {permission.Value.GetString()}", (string[])["contents: read", "id-token: write"]));
        Assert.All(document.GetProperty("jobs").EnumerateObject(),
            job => Assert.True(job.Value.TryGetProperty("timeout-minutes", out _), job.Name));
    }

    [Theory]
    [MemberData(nameof(Workflows))]
    public void It_keeps_no_secret(string workflow) =>
        Assert.DoesNotContain("secrets.", Repository.Read(".github", "workflows", workflow), StringComparison.Ordinal);

    [Theory]
    [MemberData(nameof(Workflows))]
    public void Its_shell_is_one_that_a_shell_reads_and_takes_no_text_of_others(string workflow)
    {
        foreach (string run in Read(workflow).Properties().Where(property => property.Name == "run")
            .Select(property => property.Value.GetString()!))
        {
            Assert.Equal("", Repository.Run("bash", ["-n", "-c", run]).Error);
            // What a pull request is called would be run, were it written into the script.
            Assert.DoesNotContain("${{", run, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_pull_request_shows_what_it_would_change_and_deploys_nothing()
    {
        string text = Repository.Read(".github", "workflows", "infrastructure.yml");
        Assert.Contains("az deployment sub what-if", text, StringComparison.Ordinal);
        Assert.DoesNotMatch("deployment sub create|azd (up|provision|deploy)", text);
        foreach (Match parameter in Regex.Matches(text, @"(\w+)=""\$[A-Z_]+""")) Bicep.Template.Parameter(parameter.Groups[1].Value);
    }

    [Fact]
    public void A_deployment_sets_only_what_the_parameters_read()
    {
        string parameters = Repository.Read("infra", "main.parameters.json") + Repository.Read("azure.yaml");
        foreach (var variable in Read("deploy.yml").At("jobs.deploy.env").EnumerateObject()
            .Where(variable => variable.Name is not ("AZURE_CLIENT_ID" or "AZURE_TENANT_ID" or "AZURE_SUBSCRIPTION_ID")))
            Assert.Matches($@"\$\{{{variable.Name}[=}}]", parameters);
    }

    [Fact]
    public void Each_folder_whose_pins_are_renewed_exists()
    {
        var updates = Assert.Single(Yaml.Read(".github", "dependabot.yml")).GetProperty("updates").EnumerateArray().ToList();
        foreach (var update in updates)
        {
            string[] folders = update.TryGetProperty("directories", out var several) ? several.Strings()
                : [update.GetProperty("directory").GetString()!];
            Assert.All(folders, folder => Assert.True(Directory.Exists(Repository.PathOf(folder.TrimStart('/'))), folder));
        }
        Assert.Equal(["devcontainers", "docker", "docker-compose", "github-actions", "npm", "nuget"],
            updates.Select(update => update.GetProperty("package-ecosystem").GetString()!).Order());
    }

    [Fact]
    public void The_devcontainer_has_what_the_documents_ask_for()
    {
        var container = JsonDocument.Parse(Repository.Read(".devcontainer", "devcontainer.json")).RootElement;
        Assert.Equal("./setup", container.GetProperty("postCreateCommand").GetString());
        string features = string.Join(' ', container.GetProperty("features").EnumerateObject().Select(feature => feature.Name));
        foreach (string name in (string[])["azure-cli", "azd", "node", "docker-in-docker", "kubectl"]) Assert.Contains(
            name, features, StringComparison.Ordinal);
        string image = container.GetProperty("image").GetString()!;
        Assert.Contains(
            $":{JsonDocument.Parse(Repository.Read("global.json")).RootElement.At("sdk.version").GetString()![..4]}", image,
            StringComparison.Ordinal);
    }

    private static JsonElement Read(string workflow) => Assert.Single(Yaml.Read(".github", "workflows", workflow));
}
