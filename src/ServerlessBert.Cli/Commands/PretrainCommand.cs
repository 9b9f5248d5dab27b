using System.CommandLine;
using ServerlessBert.Cli.Input;
using ServerlessBert.Cli.Options;
using ServerlessBert.Cli.Output;
using ServerlessBert.Modeling.Pretraining;
using ServerlessBert.Modeling.Recipes;
using TorchSharp;

namespace ServerlessBert.Cli.Commands;

/// <summary><c>sbert pretrain --data FILE… --out DIR</c>: teach a model a domain's language from reviews without ratings; <c>sbert train --base DIR</c> goes on from there.</summary>
internal static class PretrainCommand
{
    public static Command Create()
    {
        var data = new Option<FileInfo[]>("--data", "-d") { Description = "Review files; ratings are not looked at.", Required = true, AllowMultipleArgumentsPerToken = true };
        var device = new Option<string>("--device") { Description = "Where to compute.", DefaultValueFactory = _ => "auto" };
        var output = new Option<DirectoryInfo>("--out", "-o") { Description = "The folder for the checkpoint.", Required = true };
        device.AcceptOnlyFromAmong("auto", "cpu", "cuda");

        var (starts, settings) = (new StartSettings(), new PretrainingSettings());
        var command = new Command("pretrain", "Pretrain a masked language model on reviews, labelled or not.") { data, device, output };
        starts.AddTo(command);
        settings.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            TrainingStart start = await starts.StartAsync(parsed, cancellationToken);
            PretrainingOptions options = settings.Over(start.DefaultPretraining, parsed);
            options.Validate();
            NeedsLibTorch.Check();
            torch.Device computeOn = ComputeDevice.Named(parsed.GetValue(device)!);
            IReadOnlyList<string> texts = await LocalTexts.ReadAsync(parsed.GetRequiredValue(data), cancellationToken);

            string folder = parsed.GetRequiredValue(output).FullName;
            var pretraining = new PretrainingRecipe(start, options, computeOn);
            PretrainingResult result = TrainingDisplay.Run(Terminal.Remarks, Terminal.IsWatched,
                progress => pretraining.Run(texts, folder, progress, Terminal.Say, cancellationToken));
            Terminal.Say($"{(result.IsCancelled ? "stopped" : "pretrained")} after {result.Steps:N0} steps in {result.Seconds:N0} s ({result.TokensPerSecond:N0} tokens/s), loss {result.FinalLoss:0.000}; go on with: sbert train --base {folder} --data FILE --out DIR");
            return result.IsCancelled ? ExitCode.Failed : ExitCode.Done;
        });
        return command;
    }
}
