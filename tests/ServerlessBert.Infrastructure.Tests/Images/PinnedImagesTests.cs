using System.Text.RegularExpressions;

namespace ServerlessBert.Infrastructure.Tests;

/// <summary>eng/pin-base-images.sh on a copy of the files that it changes, with a curl that answers as the registry does.</summary>
public sealed class PinnedImagesTests : IDisposable
{
    private static readonly string Digest = "sha256:" + new string('a', 64);
    private readonly string _top = Directory.CreateTempSubdirectory("serverlessbert-pin-").FullName;

    public PinnedImagesTests()
    {
        foreach (string name in (string[])["infra", "compose.yaml"])
            Assert.Equal(0, Repository.Run("cp", ["--recursive", Repository.PathOf(name), _top]).ExitCode);
        string scripts = Directory.CreateDirectory(Path.Combine(_top, "eng")).FullName;
        Assert.Equal(0, Repository.Run("cp", [Repository.PathOf("eng", "pin-base-images.sh"), scripts]).ExitCode);
        string programs = Directory.CreateDirectory(Path.Combine(_top, "bin")).FullName;
        File.WriteAllText(
            Path.Combine(programs, "curl"),
            $"#!/bin/sh\necho \"$@\" >>'{_top}/asked'\nprintf 'HTTP/2 200\\r\\ndocker-content-digest: %s\\r\\n' \"$ANSWER\"\n");
        Repository.MakeExecutable(Path.Combine(programs, "curl"));
    }

    public void Dispose() => Directory.Delete(_top, recursive: true);

    [Fact]
    public void Every_image_gets_the_digest_that_its_tag_has_now_and_nothing_else_changes()
    {
        Assert.Equal(0, Pin(Digest).ExitCode);
        foreach (string file in (string[])[
            "infra/functions.Dockerfile", "infra/trainer.Dockerfile", "infra/kubernetes/overlays/azurite/azurite.yaml", "compose.yaml"])
        {
            string after = File.ReadAllText(Path.Combine(_top, file));
            var images = Regex.Matches(after, @"(?m)(FROM|image:) mcr\.\S+");
            Assert.NotEmpty(images);
            Assert.All(images, image => Assert.EndsWith("@" + Digest, image.Value));
            Assert.Equal(Unpinned(Repository.Read(file)), Unpinned(after));
        }
        Assert.Contains(
            "https://mcr.microsoft.com/v2/azure-functions/dotnet-isolated/manifests/4-dotnet-isolated10.0",
            File.ReadAllText(Path.Combine(_top, "asked")), StringComparison.Ordinal);
    }

    [Fact]
    public void A_check_changes_nothing_and_fails_until_all_are_pinned()
    {
        string before = File.ReadAllText(Path.Combine(_top, "infra", "functions.Dockerfile"));
        Assert.Equal(1, Pin(Digest, "--check").ExitCode);
        Assert.Equal(before, File.ReadAllText(Path.Combine(_top, "infra", "functions.Dockerfile")));
        Assert.Equal(0, Pin(Digest).ExitCode);
        Assert.Equal(0, Pin(Digest, "--check").ExitCode);
    }

    [Fact]
    public void An_answer_without_a_digest_changes_nothing()
    {
        var outcome = Pin("none");
        Assert.Equal(1, outcome.ExitCode);
        Assert.Contains("the registry names no digest", outcome.Error, StringComparison.Ordinal);
        Assert.Equal(Repository.Read("compose.yaml"), File.ReadAllText(Path.Combine(_top, "compose.yaml")));
    }

    private Outcome Pin(string answer, params string[] arguments) => Repository.Run(
        "bash", [Path.Combine(_top, "eng", "pin-base-images.sh"), .. arguments],
        new Dictionary<string, string> { ["ANSWER"] = answer, ["PATH"] = $"{_top}/bin:{Environment.GetEnvironmentVariable("PATH")}" });

    private static string Unpinned(string text) => Regex.Replace(text, "@sha256:[0-9a-f]{64}", "");
}
