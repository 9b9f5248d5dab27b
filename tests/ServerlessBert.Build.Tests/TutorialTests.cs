using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;
using ServerlessBert.Testing;

namespace ServerlessBert.Build.Tests;

/// <summary>samples/Tutorial runs, and docs/tutorial.md shows its code. SERVERLESSBERT_UPDATE_DOCS=1 writes the page anew.</summary>
public sealed partial class TutorialTests
{
    [Fact]
    public void The_tutorials_page_shows_the_programs_code()
    {
        string path = Repository.PathOf("docs", "tutorial.md"), page = File.ReadAllText(path), expected = WithCode(page);
        if (Environment.GetEnvironmentVariable("SERVERLESSBERT_UPDATE_DOCS") == "1") File.WriteAllText(path, expected);
        else Assert.Equal(expected, page);
    }

    [Fact]
    public async System.Threading.Tasks.Task The_tutorial_runs_from_a_checkpoint_and_a_file_to_a_rating()
    {
        string folder = Directory.CreateTempSubdirectory("tutorial-test-").FullName;
        try
        {
            string model = SmallModels.Save(folder), reviews = Path.Combine(folder, "reviews.csv");
            File.WriteAllLines(
                reviews, [.. SmallModels.Reviews(60).Select(review => $"{review.Label + 1},{review.Text}").Prepend("stars,text")]);
            string program = Repository.PathOf("artifacts", "bin", "Tutorial", "release", "Tutorial.dll");
            using Process process =
                Process.Start(new ProcessStartInfo(
                "dotnet", [program, model, reviews, "20"])
                { RedirectStandardOutput = true, RedirectStandardError = true })!;
            var error = process.StandardError.ReadToEndAsync();
            string output = await process.StandardOutput.ReadToEndAsync();
            await process.WaitForExitAsync();
            Assert.True(process.ExitCode == 0, output + await error);
            Assert.Matches(@"60 reviews; .*(?s:.)*padded to the maximum: \[1, 64\](?s:.)*9/9(?s:.)*accuracy 0\.\d+ on 20 reviews(?s:.)*[1-5] stars, in ", output);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    // Each heading of a region is followed by its Python, where there is any, and by the mark that its C# stands after.
    private static string WithCode(string page)
    {
        var regions = Region().Matches(Repository.Read("samples", "Tutorial", "Program.cs"))
            .ToDictionary(region => region.Groups[1].Value, region => region.Groups[2].Value);
        string[] headings = [.. Heading().Matches(page).Select(heading => heading.Groups[1].Value).Where(regions.ContainsKey)];
        Assert.Equal(regions.Keys, headings);
        var written = new StringBuilder();
        foreach (string section in SectionStart().Split(page))
        {
            string heading = Heading().Match(section).Groups[1].Value;
            written.Append(regions.TryGetValue(heading, out string? code)
                ? Block().Replace(section, $"<!-- region -->\n```csharp\n{code.Replace("$", "$$", StringComparison.Ordinal)}```\n")
                : section);
        }
        return written.ToString();
    }

    [GeneratedRegex(@"^#region (.+)\n((?:.*\n)*?)#endregion", RegexOptions.Multiline)]
    private static partial Regex Region();

    [GeneratedRegex(@"^## (.+)$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"(?=^## )", RegexOptions.Multiline)]
    private static partial Regex SectionStart();

    [GeneratedRegex(@"<!-- region -->\n(?:```csharp\n(?:.*\n)*?```\n)?")]
    private static partial Regex Block();
}
