using System.CommandLine;
using ServerlessBert.Modeling;
using ServerlessBert.Trainer;
using TorchSharp;

namespace ServerlessBert.Cli.Commands;

/// <summary><c>sbert pretrain --data FILE… --out DIR</c>: teach a model a domain's language from reviews without ratings; <c>sbert train --base DIR</c> goes on from there.</summary>
internal static class PretrainCommand
{
    public static Command Create()
    {
        var data = new Option<FileInfo[]>("--data", "-d") { Description = "Review files; ratings are not looked at.", Required = true, AllowMultipleArgumentsPerToken = true };
        var baseFolder = new Option<string?>("--base") { Description = "The checkpoint folder to start from." };
        var preset = new Option<string?>("--preset") { Description = "Start from random weights of this shape, with a vocabulary of its own (mini without --base)." };
        var vocabularySize = new Option<int>("--vocab-size") { Description = "With --preset: most word pieces of the vocabulary.", DefaultValueFactory = _ => 8000 };
        var device = new Option<string>("--device") { Description = "Where to compute.", DefaultValueFactory = _ => "auto" };
        var output = new Option<DirectoryInfo>("--out", "-o") { Description = "The folder for the checkpoint.", Required = true };
        preset.AcceptOnlyFromAmong("tiny", "mini", "small", "base");
        device.AcceptOnlyFromAmong("auto", "cpu", "cuda");

        var settings = new PretrainingSettings();
        var command = new Command("pretrain", "Pretrain a masked language model on reviews, labelled or not.") { data, baseFolder, preset, vocabularySize, device, output };
        settings.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            if (parsed.GetValue(baseFolder) is not null && parsed.GetValue(preset) is not null)
                throw new UsageException("give either --base or --preset, not both.");
            if (parsed.GetValue(baseFolder) is { } given && !Directory.Exists(given)) throw new UsageException($"there is no folder {given}; --base names a checkpoint folder, and --preset starts without one.");
            TrainingStart start = parsed.GetValue(baseFolder) is { } checkpoint
                ? new TrainingStart.FromFolder(checkpoint)
                : new TrainingStart.FromScratch(parsed.GetValue(preset) ?? "mini", parsed.GetValue(vocabularySize));
            PretrainingOptions options = settings.Over(start.DefaultPretraining, parsed);
            options.Validate();
            NeedsLibTorch.Check();
            torch.Device computeOn = ComputeDevice.Named(parsed.GetValue(device)!);
            IReadOnlyList<string> texts = await LocalTexts.ReadAsync(parsed.GetRequiredValue(data), cancellationToken);

            string folder = parsed.GetRequiredValue(output).FullName;
            var pretraining = new Pretraining(start, options, computeOn);
            PretrainingResult result = TrainingDisplay.Run(Terminal.Remarks, Terminal.IsWatched,
                progress => pretraining.Run(texts, folder, progress, Terminal.Say, cancellationToken));
            Terminal.Say($"{(result.IsCancelled ? "stopped" : "pretrained")} after {result.Steps:N0} steps in {result.Seconds:N0} s ({result.TokensPerSecond:N0} tokens/s), loss {result.FinalLoss:0.000}; go on with: sbert train --base {folder} --data FILE --out DIR");
            return result.IsCancelled ? ExitCode.Failed : ExitCode.Done;
        });
        return command;
    }
}
