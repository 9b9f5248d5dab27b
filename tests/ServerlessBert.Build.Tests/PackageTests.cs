using System.Diagnostics;
using ServerlessBert.Testing;

namespace ServerlessBert.Build.Tests;

/// <summary>
/// The libraries as a stranger gets them: packed, then used by a console project outside of the repository that knows nothing
/// but the packages' names.
/// </summary>
[Trait("Category", "Slow")]
public sealed class PackageTests : IDisposable
{
    private const string Project = """
        <Project Sdk="Microsoft.NET.Sdk">
          <PropertyGroup>
            <OutputType>Exe</OutputType>
            <TargetFramework>net10.0</TargetFramework>
            <ImplicitUsings>enable</ImplicitUsings>
            <Nullable>enable</Nullable>
            <CreateHardLinksForCopyFilesToOutputDirectoryIfPossible>true</CreateHardLinksForCopyFilesToOutputDirectoryIfPossible>
          </PropertyGroup>
          <ItemGroup>
            <PackageReference Include="ServerlessBert.Modeling" Version="*-*" />
            <PackageReference Include="ServerlessBert.Reviews" Version="*-*" />
            <PackageReference Include="TorchSharp-cpu" Version="TORCHSHARP" />
          </ItemGroup>
        </Project>
        """;

    private const string Program = """
        using ServerlessBert.Modeling.Inference;
        using ServerlessBert.Modeling.Recipes;
        using ServerlessBert.Modeling.Training;
        using ServerlessBert.Reviews;
        using ServerlessBert.Reviews.Files;

        await using var file = await LocalReviewFile.OpenAsync(args[1], new ReviewOptions());
        List<LabelledReview> rows = [];
        await foreach (Review review in file.ReadAsync()) rows.Add(new LabelledReview(review.Text, review.Stars!.Value - 1));
        var record = TrainingRecipe.FineTune(args[0], rows, args[2], new TrainingOptions { MaxSteps = 2 });
        using var classifier = ReviewClassifier.Load(args[2]);
        Console.WriteLine($"{record.Result.Steps} steps, {classifier.Classify(["the food was great"])[0].Stars} stars");
        """;

    private readonly string folder = Directory.CreateTempSubdirectory("serverlessbert-package-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void A_console_project_outside_of_the_repository_trains_and_classifies_with_the_packages()
    {
        string packages = Path.Combine(folder, "packages"), project = Path.Combine(folder, "stranger");
        foreach (string library in (string[])["Abstractions", "Modeling", "Reviews"])
            Run(Repository.PathOf("."), "pack", Repository.PathOf("src", $"ServerlessBert.{library}"), "-c", "Release", "-o", packages);
        Assert.All(Directory.GetFiles(packages, "*.nupkg"), package => Assert.True(File.Exists(Path.ChangeExtension(package, ".snupkg"))));

        Directory.CreateDirectory(project);
        File.WriteAllText(
            Path.Combine(project, "stranger.csproj"),
            Project.Replace("TORCHSHARP", Repository.PackageVersion("TorchSharp-cpu"), StringComparison.Ordinal));
        File.WriteAllText(Path.Combine(project, "Program.cs"), Program);
        Run(project, "new", "nugetconfig");
        Run(project, "nuget", "add", "source", packages, "--configfile", Path.Combine(project, "nuget.config"));
        Run(project, "build", "-c", "Release", "-o", Path.Combine(folder, "built"));

        string model = SmallModels.Save(folder), reviews = Path.Combine(folder, "reviews.csv");
        File.WriteAllLines(
            reviews, [.. SmallModels.Reviews(60).Select(review => $"{review.Label + 1},{review.Text}").Prepend("stars,text")]);
        string output = Run(project, Path.Combine(folder, "built", "stranger.dll"), model, reviews, Path.Combine(folder, "trained"));
        Assert.Matches(@"^2 steps, [1-5] stars", output);
    }

    // The packages of the user's own folder serve as a fallback: libtorch is not fetched again, ours are new.
    private string Run(string workingFolder, params string[] arguments)
    {
        var start = new ProcessStartInfo(
            "dotnet", arguments)
        { WorkingDirectory = workingFolder, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string name in start.Environment.Keys.Where(name => name.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase))
            .ToList())
            start.Environment.Remove(name);
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        start.Environment["NUGET_PACKAGES"] = workingFolder.StartsWith(folder, StringComparison.Ordinal) ? Path.Combine(folder, "own")
            : Repository.PackagesFolder;
        start.Environment["RestoreFallbackFolders"] = workingFolder.StartsWith(folder, StringComparison.Ordinal)
            ? Repository.PackagesFolder : "";
        using Process process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"dotnet {string.Join(' ', arguments)} ended with {process.ExitCode}: {output}{error.Result}");
        return output;
    }
}
