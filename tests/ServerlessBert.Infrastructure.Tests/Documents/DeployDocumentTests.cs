using System.Reflection;
using System.Text.RegularExpressions;
using ServerlessBert.Trainer;

namespace ServerlessBert.Infrastructure.Tests;

public sealed class DeployDocumentTests
{
    private static readonly string Document = Repository.Read("docs", "deploy.md");

    [Fact]
    public void Every_parameter_of_the_template_is_in_its_table_with_its_default()
    {
        var documented = MarkdownTable.Rows(Document, "Parameter").ToDictionary(row => row[0].Trim('`'), row => row[1].Trim('`'));
        var parameters = Bicep.Template.Json.GetProperty("parameters").EnumerateObject().ToList();
        Assert.Equal(parameters.Select(parameter => parameter.Name).Order(), documented.Keys.Order());
        foreach (var parameter in parameters)
        {
            if (!parameter.Value.TryGetProperty("defaultValue", out var value)) Assert.Equal("required", documented[parameter.Name]);
            else if (value.ValueKind is System.Text.Json.JsonValueKind.Number or System.Text.Json.JsonValueKind.True
                or System.Text.Json.JsonValueKind.False)
                Assert.Equal(value.ToString().ToLowerInvariant(), documented[parameter.Name]);
            else if (value.ValueKind == System.Text.Json.JsonValueKind.String && !value.GetString()!.StartsWith('['))
                Assert.Equal(value.GetString(), documented[parameter.Name]);
        }
    }

    [Fact]
    public void Each_alert_is_in_its_table()
    {
        var alerts = Bicep.Template.Module("alerts");
        var names = alerts.Variable("rules").EnumerateArray().Select(rule => rule.GetProperty("name").GetString()!)
            .Append("event-dead-letters");
        Assert.Equal(names.Order(), MarkdownTable.Rows(Document, "Alert").Select(row => row[0]).Order());
    }

    [Fact]
    public void Each_name_that_it_sets_is_one_that_azd_passes_on()
    {
        string parameters = Repository.Read("infra", "main.parameters.json") + Repository.Read("azure.yaml");
        var names = Regex.Matches(Document + Repository.Read("docs", "troubleshooting.md"), "azd env set ([A-Z_]+)")
            .Select(match => match.Groups[1].Value).Distinct().ToList();
        Assert.NotEmpty(names);
        Assert.All(names, name => Assert.Matches($@"\$\{{{name}[=}}]", parameters));
    }

    [Fact]
    public void The_trainers_exit_codes_are_in_their_table()
    {
        var codes = typeof(TrainerExitCode).GetFields(BindingFlags.Public | BindingFlags.Static)
            .Select(field => field.GetRawConstantValue()!.ToString());
        Assert.Equal(codes.Order(), MarkdownTable.Rows(Document, "Exit code").Select(row => row[0]).Order());
    }

    [Theory]
    [InlineData("deploy.md")]
    [InlineData("kubernetes.md")]
    [InlineData("troubleshooting.md")]
    public void Each_file_that_it_names_exists(string document)
    {
        string text = Repository.Read("docs", document);
        foreach (string path in Regex.Matches(text, @"(?<![\w/.])(infra|eng|src|docs|benchmarks)/[\w./-]*[\w-]")
            .Select(match => match.Value).Distinct())
            Assert.True(Path.Exists(Repository.PathOf(path)), path);
        foreach (string path in Regex.Matches(text, @"\]\(([^)#:]+)\)").Select(match => match.Groups[1].Value))
            Assert.True(Path.Exists(Repository.PathOf("docs", path)), path);
    }

    [Fact]
    public void Each_output_that_it_reads_is_one_of_the_template()
    {
        var outputs = Bicep.Template.Json.GetProperty("outputs").EnumerateObject().Select(output => output.Name).ToList();
        var read = Regex.Matches(Document, "get-value ([A-Z_]+)").Select(match => match.Groups[1].Value).Distinct().ToList();
        Assert.NotEmpty(read);
        Assert.All(read, name => Assert.Contains(name, outputs));
    }

    [Fact]
    public void Its_images_are_built_from_the_Dockerfiles_that_are_checked()
    {
        foreach (string service in (string[])["functions", "trainer"])
            Assert.Contains($"--file infra/{service}.Dockerfile", Document, StringComparison.Ordinal);
    }
}
