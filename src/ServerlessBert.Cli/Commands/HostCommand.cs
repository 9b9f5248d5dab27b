using System.CommandLine;
using ServerlessBert.Cli.Input;
using ServerlessBert.Cli.Options;
using ServerlessBert.Cli.Output;
using ServerlessBert.LocalHost;
using ServerlessBert.Trainer;

namespace ServerlessBert.Cli.Commands;

/// <summary><c>sbert host</c>: the functions in-process, on Azurite or any storage account.</summary>
internal static class HostCommand
{
    private const int DefaultPort = 7071;

    public static Command Create()
    {
        Option<int?> port = TypedOption.Whole(
            $"The port of the HTTP functions, on this machine only; 0 takes any free one ({DefaultPort}).", 0, ushort.MaxValue, "--port",
                "-p");
        var noTrainer = new Option<bool>("--no-trainer") { Description = "Do not start the training job when a request waits." };
        var noAzurite = new Option<bool>(
            "--no-azurite")
        { Description = "Do not start Azurite where development storage does not answer." };
        var azuriteFolder =
            new Option<DirectoryInfo?>("--azurite-folder") { Description = "Where Azurite keeps its data (default: .azurite)." };

        var command = new Command(
            "host", "Run the functions here, against the configured storage.") { port, noTrainer, noAzurite, azuriteFolder };
        command.CannotBeCombined(noAzurite, [azuriteFolder]);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            NeedsLibTorch.Check();
            await FunctionsHost.RunAsync(new FunctionsHostOptions
            {
                Url = $"http://127.0.0.1:{parsed.GetValue(port) ?? DefaultPort}",
                StartTrainer = !parsed.GetValue(noTrainer),
                StartAzurite = !parsed.GetValue(noAzurite),
                AzuriteFolder = parsed.GetValue(azuriteFolder)?.FullName,
            }, cancellationToken);
            return ExitCode.Done;
        });
        return command;
    }
}

/// <summary><c>sbert trainer</c>: the training job, once, in the foreground.</summary>
internal static class TrainerCommand
{
    public static Command Create()
    {
        var check = new Option<bool>(
            "--check")
        { Description = "Only say whether libtorch loads, which device there is and whether storage answers." };
        var command = new Command("trainer", "Run the training job once: take a waiting request, fine-tune, publish.") { check };
        command.SetAction((parsed, _) => TrainerProgram.RunAsync([parsed.GetValue(check) ? "--check" : "--once"], HostSettings.Load()));
        return command;
    }
}
