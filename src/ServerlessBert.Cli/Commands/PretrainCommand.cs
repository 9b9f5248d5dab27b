using System.CommandLine;
using ServerlessBert.Cli.Input;
using ServerlessBert.Cli.Options;
using ServerlessBert.Cli.Output;
using ServerlessBert.Modeling.Pretraining;
using ServerlessBert.Modeling.Recipes;
using TorchSharp;

namespace ServerlessBert.Cli.Commands;

/// <summary>
/// <c>sbert pretrain --data FILE… --out DIR</c>: teach a model a domain's language from reviews without ratings; <c>sbert train
/// --base DIR</c> goes on from there.
/// </summary>
internal static class PretrainCommand
{
    public static Command Create()
    {
        var data = new Option<FileInfo[]>(
            "--data", "-d")
        {
            Description = "Review files; ratings are not looked at.",
            Required = true,
            AllowMultipleArgumentsPerToken = true
        };
        Option<string?> device = DeviceOption.Create();
        var output = new Option<DirectoryInfo>("--out", "-o") { Description = "The folder for the checkpoint.", Required = true };

        var starts = new StartOptions();
        var settings = new BoundOptions<PretrainingOptions>(new PretrainingOptions(), PretrainingOptions.FromScratch);
        var command = new Command("pretrain", "Pretrain a masked language model on reviews, labelled or not.") { data, device, output };
        starts.AddTo(command);
        foreach (Option option in settings.All) command.Add(option);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            TrainingStart start = starts.Asked(parsed);
            PretrainingOptions options = settings.Over(start.DefaultPretraining, parsed);
            start = await StartOptions.FetchedAsync(start, cancellationToken);
            NeedsLibTorch.Check();
            torch.Device computeOn = ComputeDevice.Named(parsed.GetValue(device) ?? DeviceOption.Default);
            IReadOnlyList<string> texts = await LocalTexts.ReadAsync(parsed.GetRequiredValue(data), cancellationToken);

            string folder = parsed.GetRequiredValue(output).FullName;
            var pretraining = new PretrainingRecipe(start, options, computeOn);
            PretrainingResult result = TrainingDisplay.Run(Terminal.Errors, Terminal.IsWatched,
                progress => pretraining.Run(texts, folder, progress, Terminal.Log, cancellationToken));
            Terminal.Log($"{(result.IsCancelled ? "stopped" : "pretrained")} after {result.Steps:N0} steps in {result.Seconds:N0} s "
                + $"({result.TokensPerSecond:N0} tokens/s), loss {result.FinalLoss:0.000}; go on with: sbert train --base {folder} "
                    + $"--data FILE --out DIR");
            return result.IsCancelled ? ExitCode.Failed : ExitCode.Done;
        });
        return command;
    }
}
