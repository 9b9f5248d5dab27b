using System.Buffers.Binary;
using System.Text.Json;
using ServerlessBert.Modeling.Evaluation;
using ServerlessBert.Modeling.Reports;
using ServerlessBert.Modeling.Training;

namespace ServerlessBert.Modeling.Tests.Reports;

public sealed class TrainingLogTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("log-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Every_logged_step_and_every_evaluation_is_a_line()
    {
        using (var log = new TrainingLog(folder))
        {
            for (int step = 1; step <= 20; step++) log.Report(Step(step, isLogged: step % 10 == 0));
            log.Report(Evaluation(20));
        }
        JsonElement[] lines = Lines();
        Assert.Equal([10, 20, 20], lines.Select(line => line.GetProperty("step").GetInt32()));
        Assert.Equal((0.1, 1e-4, 0.5, 1000L, 1100L, 10.0),
            (lines[0].GetProperty("loss").GetDouble(), lines[0].GetProperty("learningRate").GetDouble(),
            lines[0].GetProperty("gradientNorm").GetDouble(), lines[0].GetProperty("tokens").GetInt64(),
                lines[0].GetProperty("paddedTokens").GetInt64(), lines[0].GetProperty("seconds").GetDouble()));
        Assert.Equal(0.5, lines[2].GetProperty("evaluation").GetProperty("accuracy").GetDouble());
    }

    [Fact]
    public void Lines_are_in_the_file_while_the_training_runs()
    {
        using var log = new TrainingLog(folder);
        log.Report(Step(1));
        Assert.Single(Lines());
    }

    [Fact]
    public void Everything_is_passed_on()
    {
        var told = new List<int>();
        using var log = new TrainingLog(folder, new Recorder(told));
        log.Report(Step(1, isLogged: false));
        log.Report(Step(2));
        Assert.Equal([1, 2], told);
    }

    [Fact]
    public void A_resumed_training_goes_on_in_its_log_and_what_it_does_again_replaces_what_was_there()
    {
        using (var log = new TrainingLog(folder))
        {
            for (int step = 1; step <= 4; step++) log.Report(Step(step));
            log.Report(Evaluation(4));
        }
        File.AppendAllText(LogFile, "{\"step\":5,\"ep"); // killed in the middle of a line

        using var resumed = new TrainingLog(folder);
        for (int step = 3; step <= 6; step++) resumed.Report(Step(step, loss: 9));

        Assert.Equal([1, 2, 3, 4, 5, 6], Lines().Select(line => line.GetProperty("step").GetInt32()));
        Assert.Equal([0.01, 0.02, 9, 9, 9, 9], resumed.Logged.Steps.Select(step => step.Loss));
        Assert.Empty(resumed.Logged.Evaluations);
        Assert.Equal(2, EventFiles().Length);
    }

    [Fact]
    public void A_new_training_into_the_same_folder_begins_anew()
    {
        using (var log = new TrainingLog(folder)) log.Report(Step(1));
        using var again = new TrainingLog(folder);
        again.Report(Step(1, isLogged: false));
        again.Report(Step(2));
        Assert.Equal([2], Lines().Select(line => line.GetProperty("step").GetInt32()));
        Assert.Single(EventFiles());
    }

    [Fact]
    public void TensorBoard_finds_loss_learning_rate_and_scores()
    {
        using (var log = new TrainingLog(folder))
        {
            log.Report(Step(1));
            log.Report(Step(2));
            log.Report(Evaluation(2));
        }
        var scalars = Events(EventFiles().Single())
            .SelectMany(each => (each.Summary?.Value ?? []).Select(value => (value.Tag, each.Step, value.SimpleValue))).ToArray();
        Assert.Contains(("train/loss", 1L, 0.01f), scalars);
        Assert.Contains(("train/learning_rate", 2L, 1e-4f), scalars);
        Assert.Contains(("train/gradient_norm", 2L, 0.5f), scalars);
        Assert.Contains(("evaluation/accuracy", 2L, 0.5f), scalars);
    }

    private string LogFile => Path.Combine(folder, TrainingLog.FileName);

    private JsonElement[] Lines()
    {
        using var reader = new StreamReader(new FileStream(LogFile, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        return [.. reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonDocument.Parse(line).RootElement)];
    }

    private string[] EventFiles() => Directory.GetFiles(Path.Combine(folder, TrainingLog.TensorBoardFolderName));

    /// <summary>A file of records: length (8 bytes), its checksum (4), content, its checksum (4).</summary>
    private static IEnumerable<Tensorboard.Event> Events(string path)
    {
        byte[] file = File.ReadAllBytes(path);
        for (int at = 0; at < file.Length;)
        {
            int length = (int)BinaryPrimitives.ReadInt64LittleEndian(file.AsSpan(at));
            yield return Tensorboard.Event.Parser.ParseFrom(file, at + 12, length);
            at += 12 + length + 4;
        }
    }

    private static TrainingProgress Step(int step, bool isLogged = true, double? loss = null) =>
        new(step, 20, step / 10.0, loss ?? step / 100.0, 1e-4, step * 100, step * 110, TimeSpan.FromSeconds(step), null, 0.5, step * 8,
            isLogged);

    private static TrainingProgress Evaluation(int step) =>
        Step(step) with { Evaluation = EvaluationMetrics.Of([0, 1], [[0.9f, 0.1f], [0.8f, 0.2f]]) };

    private sealed class Recorder(List<int> told) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => told.Add(value.Step);
    }
}
