using System.CommandLine;
using ServerlessBert.Modeling;
using ServerlessBert.Pipeline.Training;
using ServerlessBert.Trainer;
using TorchSharp;

namespace ServerlessBert.Cli.Commands;

/// <summary><c>sbert train</c>: fine-tune here, or ask the training job to with <c>--queue</c>.</summary>
internal static class TrainCommand
{
    public static Command Create()
    {
        var data = new Option<FileInfo[]>("--data", "-d") { Description = "Labelled review files; with --queue they are uploaded first, and may be left out.", AllowMultipleArgumentsPerToken = true, DefaultValueFactory = _ => [] };
        var baseFolder = new Option<string?>("--base") { Description = "The checkpoint folder to start from (with --queue: current, or version:<version>)." };
        var preset = new Option<string?>("--preset") { Description = "Start from random weights of this shape, with a vocabulary of its own." };
        var vocabularySize = new Option<int>("--vocab-size") { Description = "With --preset: most word pieces of the vocabulary.", DefaultValueFactory = _ => 8000 };
        var evaluationFile = new Option<FileInfo?>("--eval") { Description = "A labelled file to measure on." };
        var evaluationFraction = new Option<double>("--eval-fraction") { Description = "Without --eval: the share of rows held out to measure on.", DefaultValueFactory = _ => 0.1 };
        var device = new Option<string>("--device") { Description = "Where to compute.", DefaultValueFactory = _ => "auto" };
        var output = new Option<DirectoryInfo?>("--out", "-o") { Description = "The folder for the checkpoint." };
        var queue = new Option<bool>("--queue") { Description = "Send the request to the training queue instead." };
        preset.AcceptOnlyFromAmong("tiny", "mini", "small", "base");
        device.AcceptOnlyFromAmong("auto", "cpu", "cuda");

        var settings = new TrainingSettings();
        var command = new Command("train", "Fine-tune a model on labelled reviews.") { data, baseFolder, preset, vocabularySize, evaluationFile, evaluationFraction, device, output, queue };
        settings.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            if (parsed.GetValue(baseFolder) is not null && parsed.GetValue(preset) is not null)
                throw new UsageException("give either --base or --preset, not both.");
            if (parsed.GetValue(queue))
            {
                string? from = parsed.GetValue(preset) is { } shape ? $"preset:{shape}" : parsed.GetValue(baseFolder);
                return await TrainingQueueing.SendAsync(settings.Request(parsed) with { Base = from, EvalFraction = parsed.GetValue(evaluationFraction) }, parsed.GetValue(data)!, cancellationToken);
            }

            if (parsed.GetValue(data)!.Length == 0) throw new UsageException("--data names the labelled files to learn from.");
            string folder = parsed.GetValue(output)?.FullName ?? throw new UsageException("--out names the folder for the checkpoint.");
            if (parsed.GetValue(baseFolder) is { } given && !Directory.Exists(given)) throw new UsageException($"there is no folder {given}; --base names a checkpoint folder, and --preset starts without one.");
            TrainingStart start = parsed.GetValue(baseFolder) is { } checkpoint
                ? new TrainingStart.FromFolder(checkpoint)
                : new TrainingStart.FromScratch(parsed.GetValue(preset) ?? "mini", parsed.GetValue(vocabularySize));
            TrainingOptions options = settings.Over(start.DefaultOptions, parsed);
            options.Validate();
            NeedsLibTorch.Check();
            torch.Device computeOn = ComputeDevice.Named(parsed.GetValue(device)!);

            var (train, sources) = await LocalReviews.LabelledAsync(parsed.GetValue(data)!, cancellationToken);
            StratifiedSplit split = parsed.GetValue(evaluationFile) is { } file
                ? new StratifiedSplit(train.Rows, (await LocalReviews.LabelledAsync([file], cancellationToken)).Reviews.Rows)
                : StratifiedSplit.Of(train.Rows, parsed.GetValue(evaluationFraction), options.Seed);
            Announce(train, split);

            var fineTuning = new FineTuning(start, options, computeOn, sources);
            TrainingRecord record = TrainingDisplay.Run(Terminal.Remarks, Terminal.IsWatched,
                progress => fineTuning.Run(split, folder, progress, Terminal.Say, cancellationToken));

            if (record.Result.Evaluation is { } metrics) EvaluationTable.Show(Terminal.Remarks, metrics);
            Terminal.Say($"{(record.Result.IsCancelled ? "stopped" : "trained")} after {record.Result.Steps:N0} steps in {record.Result.Seconds:N0} s ({record.Result.TokensPerSecond:N0} tokens/s, {record.Result.PaddingShare:0.0 %} padding); the model of step {record.Result.KeptStep:N0} is in {folder}");
            return record.Result.IsCancelled ? ExitCode.Failed : ExitCode.Done;
        });
        return command;
    }

    private static void Announce(LabelledReviews reviews, StratifiedSplit split) => Terminal.Say(
        $"{reviews.Rows.Count:N0} labelled reviews ({string.Join(", ", reviews.Histogram().Select((count, label) => $"{label + 1}★ {count:N0}"))}); {split.Train.Count:N0} to learn from, {split.Evaluation.Count:N0} held out");
}
