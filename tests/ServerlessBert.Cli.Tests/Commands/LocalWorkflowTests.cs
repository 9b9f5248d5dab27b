using System.Text.Json;
using ServerlessBert.Testing;

namespace ServerlessBert.Cli.Tests.Commands;

/// <summary>What a user does with no storage at all: generate, train, evaluate, predict, classify.</summary>
public class LocalWorkflowTests
{
    [Fact]
    public async Task Training_on_a_file_gives_a_checkpoint_that_rates_reviews()
    {
        using var folder = new TemporaryFolder();
        string data = folder.At("labelled.jsonl"), model = folder.At("model");

        Assert.Equal(0, (await SbertProcess.RunAsync(["generate", "--rows", "600", "--out", data])).ExitCode);
        var training = await SbertProcess.RunAsync(
            ["train", "--data", data, "--preset", "tiny", "--epochs", "2", "--vocab-size", "600", "--max-length", "64", "--out", model]);
        Assert.True(training.ExitCode == 0, training.Errors);
        Assert.Contains("accuracy", training.Errors);
        Assert.All(new[] { "model.safetensors", "config.json", "vocab.txt", "tokenizer_config.json", "training.json", "metrics.json",
            "training-log.jsonl", "report.html" },
            file => Assert.True(File.Exists(Path.Combine(model, file)), file));

        Assert.Contains($"report: {Path.Combine(model, "report.html")}", training.Errors);
        Assert.Single(Directory.GetFiles(Path.Combine(model, "tensorboard")));

        string report = folder.At("evaluation/report.html");
        var evaluation = await SbertProcess.RunAsync(["evaluate", "--data", data, "--model", model, "--json", "--report", report]);
        Assert.Contains("600 reviews", File.ReadAllText(report));
        Assert.Equal(600, JsonDocument.Parse(evaluation.Output).RootElement.GetProperty("rows").GetInt32());

        var prediction = await SbertProcess.RunAsync(["predict", "--model", model, "--json", "The food was superb."]);
        JsonElement said = JsonDocument.Parse(prediction.Output).RootElement;
        Assert.InRange(said.GetProperty("stars").GetInt32(), 1, 5);
        Assert.Equal(1, said.GetProperty("probabilities").EnumerateArray().Sum(one => one.GetDouble()), 1e-3);
    }

    [Fact]
    public async Task A_model_pretrained_on_texts_without_ratings_is_pretrained_further_and_fine_tuned()
    {
        using var folder = new TemporaryFolder();
        string labelled = folder.At("labelled.jsonl"), texts = folder.At("texts.txt"), first = folder.At("first"),
            second = folder.At("second");
        Assert.Equal(0, (await SbertProcess.RunAsync(["generate", "--rows", "80", "--out", labelled])).ExitCode);
        await File.WriteAllLinesAsync(
            texts, File.ReadLines(labelled)
            .Select(line => JsonDocument.Parse(line).RootElement.GetProperty("text").GetString()!.ReplaceLineEndings(" ")));

        var fresh = await SbertProcess.RunAsync(
            ["pretrain", "--data", texts, "--preset", "tiny", "--vocab-size", "400", "--sequence-length", "32", "--max-steps", "3",
            "--out", first]);
        var further = await SbertProcess.RunAsync(
            ["pretrain", "--data", texts, "--base", first, "--sequence-length", "32", "--max-steps", "2", "--out", second]);
        var tuned = await SbertProcess.RunAsync(
            ["train", "--data", labelled, "--base", second, "--max-steps", "2", "--layer-decay", "0.9", "--token-masking", "0.3",
            "--word-dropout", "0.2", "--neighbour-smoothing", "0.1", "--out", folder.At("model")]);

        Assert.True(fresh.ExitCode == 0, fresh.Errors);
        Assert.Contains("after 3 steps", fresh.Errors);
        Assert.True(further.ExitCode == 0, further.Errors);
        Assert.DoesNotContain("starts fresh", further.Errors); // the first one's head is there
        Assert.True(tuned.ExitCode == 0, tuned.Errors);
        Assert.Contains("pretraining head", tuned.Errors);
    }

    [Fact]
    public async Task A_decimal_point_is_one_whatever_the_locale()
    {
        using var folder = new TemporaryFolder();
        string data = folder.At("r.jsonl"), model = folder.At("model");
        var german = new Dictionary<string, string> { ["LC_ALL"] = "de_DE.UTF-8" };
        Assert.Equal(0, (await SbertProcess.RunAsync(["generate", "--rows", "80", "--out", data])).ExitCode);

        var result = await SbertProcess.RunAsync(
            ["train", "--data", data, "--preset", "tiny", "--vocab-size", "300", "--max-steps", "1", "--max-hours", "0.5",
            "--lr", "1.5e-4", "--eval-fraction", "0.25", "--out", model], environment: german);

        Assert.True(result.ExitCode == 0, result.Errors);
        JsonElement record = JsonDocument.Parse(File.ReadAllText(Path.Combine(model, "training.json"))).RootElement;
        Assert.Equal((0.5, 1.5e-4, 20), (record.GetProperty("options").GetProperty("maxHours").GetDouble(),
            record.GetProperty("options").GetProperty("learningRate").GetDouble(), record.GetProperty("evaluationRows").GetInt32()));
        Assert.Matches(@"\d\.\d reviews/s", result.Errors);
    }

    [Fact]
    public async Task One_command_pretrains_on_the_texts_and_trains_from_there()
    {
        using var folder = new TemporaryFolder();
        string data = folder.At("r.jsonl"), model = folder.At("model");
        Assert.Equal(0, (await SbertProcess.RunAsync(["generate", "--rows", "200", "--out", data])).ExitCode);

        var result = await SbertProcess.RunAsync(
            ["train", "--data", data, "--preset", "tiny", "--vocab-size", "300", "--vocab-merges", "likelihood",
            "--vocab-min-frequency", "5",
            "--pretrain-epochs", "0.5", "--max-steps", "2", "--out", model]);

        Assert.True(result.ExitCode == 0, result.Errors);
        Assert.Contains("pretraining on 180 texts", result.Errors);
        Assert.Contains("pretraining head", result.Errors); // what the training started from had one
        JsonElement record = JsonDocument.Parse(File.ReadAllText(Path.Combine(model, "training.json"))).RootElement;
        Assert.Equal(0.5, record.GetProperty("pretraining").GetProperty("epochs").GetDouble());
        Assert.Empty(Directory.EnumerateDirectories(model, "pretrained-*"));
    }

    [Fact]
    public async Task Too_little_text_to_pretrain_on_is_said_with_its_tokens()
    {
        using var folder = new TemporaryFolder();
        string texts = folder.File("few.txt", "the food was good and the service was good\n");

        var result = await SbertProcess.RunAsync(["pretrain", "--data", texts, "--preset", "tiny", "--out", folder.At("out")]);

        Assert.Equal(1, result.ExitCode);
        Assert.Contains("too few for one piece of 128", result.Errors);
    }

    [Fact]
    public async Task Classifying_gives_every_row_a_line_in_order_and_bad_rows_keep_their_place()
    {
        using var folder = new TemporaryFolder();
        string model = SmallModels.Save(folder.Path), predictions = folder.At("out/p.jsonl");
        string reviews = folder.File("mixed.jsonl", """
            {"id":"a","text":"the food was good"}
            {"id":"b","txt":"no text here"}
            this is not json
            {"id":"d","text":"the service was awful","stars":1}

            """);

        var result = await SbertProcess.RunAsync(["classify", reviews, "--model", model, "--out", predictions]);

        Assert.True(result.ExitCode == 0, result.Errors);
        JsonElement[] lines = [.. File.ReadLines(predictions).Select(line => JsonDocument.Parse(line).RootElement)];
        Assert.Equal([0, 1, 2, 3], lines.Select(line => line.GetProperty("row").GetInt32()));
        Assert.Equal("missing_text", lines[1].GetProperty("error").GetProperty("code").GetString());
        Assert.Equal("invalid_json", lines[2].GetProperty("error").GetProperty("code").GetString());
        Assert.Equal("d", lines[3].GetProperty("id").GetString());
        Assert.Contains("1 row with error missing_text", result.Errors);
    }

    [Fact]
    public async Task Without_out_the_predictions_go_to_standard_output()
    {
        using var folder = new TemporaryFolder();
        string reviews = folder.File("r.txt", "good food\nbad food\n");

        var result = await SbertProcess.RunAsync(["classify", reviews, "--model", SmallModels.Save(folder.Path)]);

        Assert.Equal(2, result.Output.TrimEnd('\n').Split('\n').Length);
    }

    [Theory]
    [InlineData("columns.csv", "name,price\na,1\n", "first record has the columns")]
    [InlineData("empty.csv", "", "empty")]
    [InlineData("binary.csv", "\0\u0001\u0002\0\0\0", "binary")]
    [InlineData("reviews.docx", "text", ".jsonl")]
    public async Task A_file_that_cannot_be_classified_fails_with_its_reason_and_leaves_no_half_written_output(
        string name, string content, string reason)
    {
        using var folder = new TemporaryFolder();

        var result = await SbertProcess.RunAsync(
            ["classify", folder.File(name, content), "--model", SmallModels.Save(folder.Path), "--out", folder.At("p.jsonl")]);

        Assert.Equal(1, result.ExitCode);
        Assert.Contains(reason, result.Errors, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("   at ", result.Errors);
        Assert.Empty(Directory.EnumerateFiles(folder.Path, "p.jsonl*"));
    }

    [Fact]
    public async Task A_ten_megabyte_line_is_one_error_row_and_the_rest_is_classified()
    {
        using var folder = new TemporaryFolder();
        string reviews = folder.File("long.txt", $"good food\n{new string('x', 10_000_000)}\nbad food\n");

        var result = await SbertProcess.RunAsync(["classify", reviews, "--model", SmallModels.Save(folder.Path)]);

        JsonElement[] lines = [.. result.Output.TrimEnd('\n').Split('\n').Select(line => JsonDocument.Parse(line).RootElement)];
        Assert.Equal(3, lines.Length);
        Assert.Equal("line_too_long", lines[1].GetProperty("error").GetProperty("code").GetString());
        Assert.True(lines[0].TryGetProperty("stars", out _) && lines[2].TryGetProperty("stars", out _));
    }

    [Fact]
    public async Task A_file_without_ratings_cannot_be_measured_on()
    {
        using var folder = new TemporaryFolder();
        string data = folder.File("d.csv", "stars,text\n1,bad food\n5,good food\n2,poor food\n");

        var result = await SbertProcess.RunAsync(
            ["train", "--data", data, "--eval", folder.File("e.txt", "one\ntwo\n"), "--preset", "tiny", "--out", folder.At("m")]);

        Assert.Equal(1, result.ExitCode);
        Assert.Contains("e.txt has no labelled review to measure on; give it stars 1-5 or labels 0-4", result.Errors);
        Assert.False(Directory.Exists(folder.At("m")));
    }

    [Fact]
    public async Task A_file_that_is_all_measured_on_leaves_nothing_to_learn_from()
    {
        using var folder = new TemporaryFolder();
        string data = folder.File("d.csv", "stars,text\n1,bad food\n5,good food\n2,poor food\n");

        var result = await SbertProcess.RunAsync(["train", "--data", data, "--eval", data, "--preset", "tiny", "--out", folder.At("m")]);

        Assert.Equal(1, result.ExitCode);
        Assert.Contains("left out: 3 rows to learn from whose text is measured on in d.csv too", result.Errors);
        Assert.Contains("No labelled review is left to learn from.", result.Errors);
    }

    [Fact]
    public async Task Trained_models_teach_another_shape_and_vocabulary()
    {
        using var folder = new TemporaryFolder();
        string data = folder.At("r.jsonl"), teacher = SmallModels.Save(folder.Path), model = folder.At("model");
        Assert.Equal(0, (await SbertProcess.RunAsync(["generate", "--rows", "80", "--out", data])).ExitCode);

        var student = await SbertProcess.RunAsync(["train", "--data", data, "--preset", "tiny", "--vocab-size", "300", "--max-steps", "2",
            "--teacher", teacher, "--teacher-share", "0.6", "--teacher-views", "3", "--average-decay", "0.9", "--clean-epochs", "1",
                "--out", model]);
        var missing = await SbertProcess.RunAsync(
            ["train", "--data", data, "--preset", "tiny", "--teacher", folder.At("nowhere"), "--out", model]);

        Assert.True(student.ExitCode == 0, student.Errors);
        Assert.Contains($"teacher {teacher}: right about", student.Errors);
        JsonElement record = JsonDocument.Parse(File.ReadAllText(Path.Combine(model, "training.json"))).RootElement;
        Assert.Equal(teacher, record.GetProperty("teachers")[0].GetString());
        Assert.Contains($"of the {3 * record.GetProperty("trainRows").GetInt32()} rows", student.Errors); // three views of each
        Assert.Equal((0.6, 0.9, 1),
            (record.GetProperty("options").GetProperty("teacherShare").GetDouble(),
            record.GetProperty("options").GetProperty("averageDecay").GetDouble(),
            record.GetProperty("options").GetProperty("cleanEpochs").GetDouble()));
        Assert.Equal(2, missing.ExitCode);
        Assert.Contains($"Folder not found: {folder.At("nowhere")}", missing.Errors);
    }

    [Fact]
    public async Task Data_without_ratings_cannot_be_trained_on_and_the_count_is_said()
    {
        using var folder = new TemporaryFolder();

        var result = await SbertProcess.RunAsync(
            ["train", "--data", folder.File("r.txt", "one\ntwo\n"), "--preset", "tiny", "--out", folder.At("m")]);

        Assert.Equal(1, result.ExitCode);
        Assert.Contains("2 rows without a rating", result.Errors);
    }

    [Theory]
    [InlineData("stars,text\n3,one\n3,two\n", "--eval-fraction 0", "3 stars")]
    [InlineData("stars,text\n3,one\n4,two\n", "", "none is held out")]
    [InlineData("stars,text\n3,one\n9,two\n", "--eval-fraction 0", "rating out of range")]
    public async Task Data_that_cannot_be_learned_from_is_refused_with_the_reason(string content, string options, string reason)
    {
        using var folder = new TemporaryFolder();

        var result = await SbertProcess.RunAsync(
            ["train", "--data", folder.File("r.csv", content), "--preset", "tiny", "--out", folder.At("m"),
            .. options.Split(' ', StringSplitOptions.RemoveEmptyEntries)]);

        Assert.Equal(1, result.ExitCode);
        Assert.Contains(reason, result.Errors);
        Assert.DoesNotContain("   at ", result.Errors);
    }
}
