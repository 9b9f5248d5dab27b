using System.Text.RegularExpressions;

namespace ServerlessBert.Infrastructure.Tests;

public sealed class DockerfileTests
{
    public static TheoryData<string> Services => ["functions", "trainer"];

    [DockerfileLinterTheory]
    [MemberData(nameof(Services))]
    public void The_linter_has_nothing_to_say(string service)
    {
        var outcome = Lint(Repository.PathOf("infra", $"{service}.Dockerfile"));
        Assert.Equal("", outcome.Output.Trim() + outcome.Error.Trim());
        Assert.Equal(0, outcome.ExitCode);
    }

    [DockerfileLinterFact]
    public void The_linter_finds_an_instruction_that_there_is_not()
    {
        string file = Path.GetTempFileName();
        File.WriteAllText(file, "FROM scratch\nEXPSE 80\n");
        var outcome = Lint(file);
        File.Delete(file);
        Assert.NotEqual(0, outcome.ExitCode);
        Assert.Contains("EXPSE", outcome.Output, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Services))]
    public void The_program_is_not_root(string service)
    {
        var stage = Dockerfile.Read(service).FinalStage.ToList();
        Assert.Equal("1654:1654", Dockerfile.Of(stage, "USER").Last());
        int user = stage.FindLastIndex(instruction => instruction.Word == "USER");
        Assert.DoesNotContain(stage.Skip(user), instruction => instruction.Word == "COPY");
    }

    [Theory]
    [MemberData(nameof(Services))]
    public void The_build_ends_with_the_programs_own_check_as_the_user_who_runs_it(string service)
    {
        var stage = Dockerfile.Read(service).FinalStage.ToList();
        int check = stage.FindIndex(
            instruction => instruction.Word == "RUN" && instruction.Text.Contains(".dll --check", StringComparison.Ordinal));
        Assert.True(check > stage.FindLastIndex(instruction => instruction.Word == "USER"));
        Assert.True(check > stage.FindLastIndex(instruction => instruction.Word == "COPY"));
    }

    [Theory]
    [MemberData(nameof(Services))]
    public void The_native_libraries_are_a_layer_of_their_own_below_the_code(string service) => Assert.Equal(
        ["/native/", "/published/"],
        Dockerfile.Of(Dockerfile.Read(service).FinalStage, "COPY")
            .Select(copy => Regex.Match(copy, @"^--from=build (\S+) ").Groups[1].Value).Where(from => from.Length > 0));

    [Theory]
    [MemberData(nameof(Services))]
    public void A_base_image_is_Microsofts_by_an_exact_line_of_versions(string service)
    {
        foreach (string from in Dockerfile.Read(service).All("FROM"))
        {
            Assert.StartsWith("mcr.microsoft.com/", from, StringComparison.Ordinal);
            Assert.Matches(@":[\w.-]*10\.0[\w.-]*(@sha256:[0-9a-f]{64})?( AS \w+)?$", from);
        }
    }

    [Theory]
    [MemberData(nameof(Services))]
    public void A_base_image_is_pinned_by_its_digest(string service)
    {
        // The digest of the Functions host's image could not be had where this was written: eng/pin-base-images.sh adds it.
        foreach (string from in Dockerfile.Read(service).All("FROM")
            .Where(from => !from.Contains("azure-functions", StringComparison.Ordinal)))
            Assert.Matches("@sha256:[0-9a-f]{64}( |$)", from);
    }

    [Theory]
    [MemberData(nameof(Services))]
    public void What_a_build_needs_and_leaves_stays_in_one_layer(string service)
    {
        string run = Assert.Single(
            Dockerfile.Of(Dockerfile.Read(service).Instructions.TakeWhile(instruction => instruction.Word != "USER"), "RUN"), command =>
            command.Contains("dotnet publish", StringComparison.Ordinal));
        Assert.Contains("mv -t \"$NATIVE\"", run, StringComparison.Ordinal);
        Assert.EndsWith("rm -rf $LEFT_OVER", run);
        string environment =
            Assert.Single(Dockerfile.Read(service).All("ENV"), line => line.Contains("LEFT_OVER=", StringComparison.Ordinal));
        string packages = Regex.Match(environment, @"NUGET_PACKAGES=(\S+)").Groups[1].Value;
        Assert.Contains(packages, Regex.Match(environment, "LEFT_OVER=\"([^\"]+)\"").Groups[1].Value.Split(' '));
    }

    [Theory]
    [MemberData(nameof(Services))]
    public void A_builder_without_BuildKit_can_build_it(string service)
    {
        Assert.DoesNotMatch("(?m)^# ?syntax=", Repository.Read("infra", $"{service}.Dockerfile"));
        Assert.DoesNotContain(
            Dockerfile.Read(service).Instructions, instruction =>
            instruction.Text.Contains("--mount", StringComparison.Ordinal) || instruction.Text.Contains("<<", StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Services))]
    public void It_takes_no_secret_and_fetches_nothing_but_packages(string service)
    {
        var dockerfile = Dockerfile.Read(service);
        Assert.Empty(dockerfile.All("ADD"));
        // A folder's name is none.
        Assert.All(dockerfile.All("ARG").Concat(dockerfile.All("ENV")),
            line => Assert.DoesNotMatch(
            "(?i)(key|secret|password|token)", line.Replace("FUNCTIONS_SECRETS_PATH=/home/data/secrets", "", StringComparison.Ordinal)));
        Assert.All(dockerfile.All("RUN"), line => Assert.DoesNotMatch(@"\b(curl|wget)\b", line));
    }

    [Fact]
    public void The_trainer_has_libtorch_for_CUDA_unless_asked_otherwise() =>
        Assert.Equal(["TRAINER_DEVICE=cuda"], Dockerfile.Read("trainer").All("ARG"));

    [Fact]
    public void The_trainer_takes_one_request_and_ends()
    {
        Assert.Equal(["""["dotnet", "/app/ServerlessBert.Trainer.dll"]"""], Dockerfile.Read("trainer").All("ENTRYPOINT"));
        Assert.Equal(["""["--once"]"""], Dockerfile.Read("trainer").All("CMD"));
    }

    [Fact]
    public void The_functions_host_is_process_1_and_hears_that_it_is_to_end()
    {
        var stage = Dockerfile.Read("functions").FinalStage;
        Assert.StartsWith(
            "mcr.microsoft.com/azure-functions/dotnet-isolated:4-", Dockerfile.Of(stage, "FROM").Single(), StringComparison.Ordinal);
        // The exec form: with a shell between, SIGTERM would end at the shell.
        Assert.Equal(["""["/azure-functions-host/Microsoft.Azure.WebJobs.Script.WebHost"]"""], Dockerfile.Of(stage, "CMD"));
        Assert.Empty(Dockerfile.Of(stage, "ENTRYPOINT"));
    }

    [Fact]
    public void The_host_can_write_what_guards_its_keys()
    {
        var stage = Dockerfile.Read("functions").FinalStage;
        string folder = Regex.Match(Dockerfile.Of(stage, "ENV").Single(), @"FUNCTIONS_SECRETS_PATH=(\S+)").Groups[1].Value;
        string run = Assert.Single(Dockerfile.Of(stage, "RUN"), command => command.Contains("chown", StringComparison.Ordinal));
        Assert.Matches($@"mkdir -p [^&]*{folder}\b.*chown 1654:1654 [^&]*{folder}\b", run);
    }

    [Fact]
    public void The_build_ends_where_the_base_images_host_cannot_start_the_app() => Assert.Contains(
        "sh /opt/serverlessbert/check-functions-host.sh /azure-functions-host /home/site/wwwroot",
            Dockerfile.Of(Dockerfile.Read("functions").FinalStage, "RUN"));

    [Fact]
    public void What_the_build_reads_is_sent_to_it_and_nothing_else()
    {
        string[] sent = [.. Repository.Read(".dockerignore").Split('\n').Where(line => line.StartsWith('!')).Select(line => line[1..])];
        foreach (string name in (string[])[
            "src", "eng/*.targets", "eng/*.cs", "host.json", "global.json", "Directory.Build.props", "Directory.Build.targets",
            "Directory.Packages.props"])
            Assert.Contains(name, sent);
        Assert.All(sent.Where(name => !name.Contains('*', StringComparison.Ordinal)),
            name => Assert.True(Path.Exists(Repository.PathOf(name)), name));
        Assert.Contains("**", Repository.Read(".dockerignore").Split('\n'));
        Assert.DoesNotContain("local.settings.json", sent);
    }

    private static Outcome Lint(string file) => Repository.Run("node", [DockerfileLinter.Program, "lint", file]);
}
