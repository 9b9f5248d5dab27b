using System.CommandLine;
using ServerlessBert.Cli.Hosting;
using ServerlessBert.Trainer;

namespace ServerlessBert.Cli.Commands;

/// <summary><c>sbert trainer</c>: the training job, once, in the foreground.</summary>
internal static class TrainerCommand
{
    public static Command Create()
    {
        var check = new Option<bool>("--check") { Description = "Only say whether libtorch loads, which device there is and whether storage answers." };
        var command = new Command("trainer", "Run the training job once: take a waiting request, fine-tune, publish.") { check };
        command.SetAction((parsed, _) => TrainerProgram.RunAsync([parsed.GetValue(check) ? "--check" : "--once"], HostSettings.Load()));
        return command;
    }
}
