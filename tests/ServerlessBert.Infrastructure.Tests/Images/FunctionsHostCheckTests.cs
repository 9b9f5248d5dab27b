namespace ServerlessBert.Infrastructure.Tests;

/// <summary>infra/check-functions-host.sh, on folders that look as a base image's host and a published app do.</summary>
public sealed class FunctionsHostCheckTests : IDisposable
{
    private const string Program = "Microsoft.Azure.WebJobs.Script.WebHost";
    private readonly string _top = Directory.CreateTempSubdirectory("serverlessbert-host-").FullName;

    public void Dispose() => Directory.Delete(_top, recursive: true);

    [Theory]
    [InlineData("10.0.0.0", 0)]
    [InlineData("11.0.0.0", 0)]
    [InlineData("8.0.0.0", 1)]
    [InlineData("9.0.0.0", 1)]
    public void A_host_is_new_enough_or_the_build_ends(string hosts, int exitCode)
    {
        var outcome = Check(hosts, apps: "10.0.10");
        Assert.Equal(exitCode, outcome.ExitCode);
        if (exitCode == 0) Assert.Equal($"Functions host: Microsoft.Extensions {hosts.Split('.')[0]}, and 10 is needed\n", outcome.Output);
        else Assert.Contains(
            $"the host has Microsoft.Extensions {hosts.Split('.')[0]}, and the app's extensions need 10", outcome.Error,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_program_that_has_moved_is_said_to_have()
    {
        var outcome = Check("10.0.0.0", "10.0.10", withProgram: false);
        Assert.Equal(1, outcome.ExitCode);
        Assert.Contains($"{Program} is not there or cannot be run", outcome.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void The_published_app_says_what_it_needs()
    {
        // The same words as above, in what the build of the app has written.
        string file = Path.Combine(
            Path.GetDirectoryName(typeof(ServerlessBert.Functions.Settings).Assembly.Location)!, ".azurefunctions", "function.deps.json");
        Assert.Matches("\"Microsoft\\.Extensions\\.Configuration\\.Abstractions\": \"\\d+\\.", File.ReadAllText(file));
    }

    private Outcome Check(string hosts, string apps, bool withProgram = true)
    {
        string host = Directory.CreateDirectory(Path.Combine(_top, "host")).FullName;
        string extensions = Directory.CreateDirectory(Path.Combine(_top, "app", ".azurefunctions")).FullName;
        // As dotnet publish --self-contained writes it.
        File.WriteAllText(Path.Combine(host, Program + ".deps.json"), $$"""
            {
              "targets": {
                ".NETCoreApp,Version=v10.0/linux-x64": {
                  "runtimepack.Microsoft.AspNetCore.App.Runtime.linux-x64/10.0.1": {
                    "runtime": {
                      "Microsoft.Extensions.Configuration.Abstractions.dll": {
                        "assemblyVersion": "{{hosts}}",
                        "fileVersion": "99.0.25.52411"
                      }
                    }
                  }
                }
              }
            }
            """);
        File.WriteAllText(
            Path.Combine(extensions, "function.deps.json"),
            $$"""{ "dependencies": {{{Environment.NewLine}} "Microsoft.Extensions.Configuration.Abstractions": "{{apps}}" } }""");
        if (withProgram)
        {
            File.WriteAllText(Path.Combine(host, Program), "");
            Repository.MakeExecutable(Path.Combine(host, Program));
        }
        return Repository.Run("sh", [Repository.PathOf("infra", "check-functions-host.sh"), host, Path.Combine(_top, "app")]);
    }
}
