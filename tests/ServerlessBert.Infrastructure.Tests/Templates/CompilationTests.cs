using System.Text.RegularExpressions;

namespace ServerlessBert.Infrastructure.Tests;

public sealed class CompilationTests
{
    [Fact]
    public void The_template_compiles_without_a_warning()
    {
        Assert.Equal("", Bicep.Main.Error);
        Assert.Equal(0, Bicep.Main.ExitCode);
    }

    [Fact]
    public void The_linter_has_nothing_to_say()
    {
        var outcome = Bicep.Run("lint", Repository.PathOf("infra", "main.bicep"));
        Assert.Equal("", outcome.Output + outcome.Error);
        Assert.Equal(0, outcome.ExitCode);
    }

    [Theory]
    [InlineData("param unused string", "no-unused-params")]
    [InlineData("param key string = ''\noutput password string = key", "outputs-should-not-contain-secrets")]
    public void A_broken_rule_is_an_error_by_the_configuration(string source, string rule)
    {
        var outcome = Compile(source);
        Assert.Contains($"Error {rule}", outcome.Error, StringComparison.Ordinal);
        Assert.Equal(1, outcome.ExitCode);
    }

    [Fact]
    public void The_compiler_warns_of_an_API_version_that_it_does_not_know()
    {
        var outcome = Compile("resource job 'Microsoft.App/jobs@2001-01-01' existing = {\n  name: 'job'\n}\noutput id string = job.id");
        Assert.Contains("BCP081", outcome.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void One_property_alone_is_ahead_of_the_compilers_types()
    {
        string all = string.Concat(
            Directory.GetFiles(Repository.PathOf("infra"), "*.bicep", SearchOption.AllDirectories).Select(File.ReadAllText));
        Assert.Equal(["#disable-next-line BCP037\n        allowScalingRuleOverride:"],
            Regex.Matches(all, @"#disable.*\n\s*\w+:").Select(match => match.Value));
        Assert.DoesNotContain("any(", all, StringComparison.Ordinal);
    }

    [Fact]
    public void Nothing_is_fetched_to_compile_it()
    {
        foreach (string file in Directory.GetFiles(Repository.PathOf("infra"), "*.bicep", SearchOption.AllDirectories))
            Assert.DoesNotMatch("'(br|ts)[:/]", File.ReadAllText(file));
    }

    [Fact]
    public void No_script_is_part_of_the_deployment() =>
        Assert.Empty(Bicep.Template.Resources("Microsoft.Resources/deploymentScripts"));

    [Fact]
    public void Every_parameter_and_output_says_what_it_is()
    {
        foreach (var template in Bicep.Template.All())
        {
            foreach (string section in (string[])["parameters", "outputs"])
            {
                if (!template.Json.TryGetProperty(section, out var entries)) continue;
                foreach (var entry in entries.EnumerateObject())
                    Assert.True(entry.Value.TryGetProperty("metadata", out var metadata) && metadata.TryGetProperty("description", out _),
                        $"{entry.Name} has no description");
            }
        }
    }

    private static Outcome Compile(string source)
    {
        var folder = Directory.CreateTempSubdirectory("serverlessbert-bicep-");
        try
        {
            string file = Path.Combine(folder.FullName, "some.bicep");
            File.WriteAllText(file, source);
            File.Copy(Repository.PathOf("infra", "bicepconfig.json"), Path.Combine(folder.FullName, "bicepconfig.json"));
            return Bicep.Run("build", file, "--stdout");
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
