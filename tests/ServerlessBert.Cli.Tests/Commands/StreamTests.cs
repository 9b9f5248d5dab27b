using System.Diagnostics;
using System.Text.Json;
using ServerlessBert.Cli.Input;
using ServerlessBert.Reviews;
using ServerlessBert.Testing;

namespace ServerlessBert.Cli.Tests.Commands;

/// <summary>Standard input and output as parts of a pipe, and several files at once.</summary>
public sealed class StreamTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly string model;

    public StreamTests() => model = SmallModels.Save(folder.Path);

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("{\"text\":\"good food\"}\n{\"text\":\"bad food\"}\n", null)]
    [InlineData("stars,text\n5,good food\n1,bad food\n", null)]
    [InlineData("good food\nbad food\n", null)]
    [InlineData("good food\nbad food\n", "txt")]
    public async Task A_dash_reads_reviews_from_standard_input_in_every_form(string input, string? format)
    {
        string[] forced = format is null ? [] : ["--input-format", format];

        var result = await SbertProcess.RunAsync(["classify", "-", "--model", model, .. forced], input);

        Assert.True(result.ExitCode == 0, result.Errors);
        string[] lines = result.Output.TrimEnd('\n').Split('\n');
        Assert.Equal(2, lines.Length);
        Assert.All(lines, line => Assert.True(JsonDocument.Parse(line).RootElement.TryGetProperty("stars", out _), line));
    }

    [Theory]
    [InlineData("\uFEFF {\"text\":1}", "jsonl")]
    [InlineData("Text,Stars\n", "csv")]
    [InlineData("id\ttext\n", "tsv")]
    [InlineData("\"5\",\"good, cheap\"\n", "csv")]
    [InlineData("good, cheap\n", "txt")]
    [InlineData("", "txt")]
    public void The_form_of_standard_input_is_what_its_head_looks_like(string head, string form) =>
        Assert.Equal(form, StandardInput.Recognize(System.Text.Encoding.UTF8.GetBytes(head), new ReviewOptions()));

    [Fact]
    public async Task Several_files_go_into_a_folder_each_by_its_name()
    {
        string first = folder.File("a.txt", "good food\n"), second = folder.File("b.txt", "bad food\nokay\n"),
            output = folder.At("predictions");

        var result = await SbertProcess.RunAsync(["classify", first, second, "--model", model, "--out", output]);

        Assert.True(result.ExitCode == 0, result.Errors);
        Assert.Equal([1, 2],
            new[] { "a.txt", "b.txt" }.Select(name => File.ReadLines(Path.Combine(output, $"{name}.predictions.jsonl")).Count()));
        Assert.Equal(2, Directory.GetFiles(output).Length);
        Assert.Contains("3 rows, 3 predictions", result.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_pipe_that_closes_ends_the_work_without_a_word()
    {
        string reviews = folder.At("many.txt");
        File.WriteAllLines(reviews, Enumerable.Range(0, 200_000).Select(row => $"the food was very good {row}"));
        string sbert = Path.Combine(AppContext.BaseDirectory, "sbert.dll");
        long start = Stopwatch.GetTimestamp();

        using Process shell =
            Process.Start(new ProcessStartInfo(
            "bash", ["-c", $"dotnet '{sbert}' classify '{reviews}' --model '{model}' | head -2; echo ${{PIPESTATUS[0]}}"])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
        Task<string> errors = shell.StandardError.ReadToEndAsync();
        string[] lines = (await shell.StandardOutput.ReadToEndAsync()).TrimEnd('\n').Split('\n');

        Assert.Equal((3, "0"), (lines.Length, lines[^1]));
        Assert.Equal("", await errors);
        Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(20));
    }

    [Fact]
    public async Task Tokenize_takes_texts_and_predict_a_pipe()
    {
        var tokens = await SbertProcess.RunAsync(["tokenize", "--model", model, "good food", "bad"]);
        var prediction = await SbertProcess.RunAsync(["predict", "--model", model, "--json"], "the food was good\n");

        Assert.Equal(2, tokens.Output.TrimEnd('\n').Split('\n').Length);
        Assert.Contains("\"good\",\"food\"", tokens.Output, StringComparison.Ordinal);
        Assert.InRange(JsonDocument.Parse(prediction.Output).RootElement.GetProperty("stars").GetInt32(), 1, 5);
    }

    [Fact]
    public async Task Text_that_begins_with_dashes_is_given_after_two_of_them()
    {
        var result = await SbertProcess.RunAsync(["predict", "--model", model, "--json", "--", "--Json", "a"]);

        Assert.True(result.ExitCode == 0, result.Errors);
    }

    [Theory]
    [InlineData("x.csv", "id,stars,text")]
    [InlineData("x.tsv", "id\tstars\ttext")]
    public async Task Generate_writes_what_its_file_is_called(string name, string header)
    {
        string file = folder.At(name), same = folder.At("x.jsonl");
        await SbertProcess.RunAsync(["generate", "--rows", "20", "--out", file]);
        await SbertProcess.RunAsync(["generate", "--rows", "20", "--out", same]);

        Assert.Equal(header, File.ReadLines(file).First());
        var options = new ReviewOptions();
        await using FileStream delimited = File.OpenRead(file), lines = File.OpenRead(same);
        Assert.Equal(
            await Reviews.Files.ReviewFileReader.ReadAsync(lines, "x.jsonl", options)
                .Select(review => (review.Id, review.Stars, review.Text)).ToListAsync(),
            await Reviews.Files.ReviewFileReader.ReadAsync(delimited, name, options)
                .Select(review => (review.Id, review.Stars, review.Text)).ToListAsync());
    }

    [Fact]
    public async Task Local_verbs_obey_the_same_review_settings_as_the_functions()
    {
        string reviews = folder.File("own.csv", "remark\ngood food\n");

        var plain = await SbertProcess.RunAsync(["classify", reviews, "--model", model]);
        var configured =
            await SbertProcess.RunAsync(
            ["classify", reviews, "--model", model],
            environment: new Dictionary<string, string> { ["ServerlessBert__Reviews__TextFields__0"] = "remark" });

        Assert.Equal(1, plain.ExitCode);
        Assert.True(configured.ExitCode == 0, configured.Errors);
        Assert.Contains("\"stars\":", configured.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_that_cannot_be_classified_to_its_end_leaves_the_older_predictions_as_they_were()
    {
        string predictions = folder.File("p.jsonl", "older\n"), torn = folder.At("torn.csv.gz");
        File.WriteAllBytes(torn, [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1, 2]);

        var result = await SbertProcess.RunAsync(["classify", torn, "--model", model, "--out", predictions]);

        Assert.Equal(1, result.ExitCode);
        Assert.Equal("older\n", File.ReadAllText(predictions));
        Assert.DoesNotContain(Directory.GetFiles(folder.Path), file => file.EndsWith(".partial", StringComparison.Ordinal));
    }
}
