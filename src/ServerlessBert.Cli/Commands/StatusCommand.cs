using System.CommandLine;
using ServerlessBert.Pipeline;

namespace ServerlessBert.Cli.Commands;

/// <summary><c>sbert status</c>: storage, queues, live model and runs.</summary>
internal static class StatusCommand
{
    public static Command Create()
    {
        var json = new Option<bool>("--json") { Description = "As JSON." };
        var command = new Command("status", "Storage, queues, the live model, and running and finished runs.") { json };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            PipelineState state = await new PipelineStatus(await Storage.OpenAsync(cancellationToken)).ReadAsync(cancellationToken);
            if (parsed.GetValue(json)) Console.WriteLine(Json.Of(state));
            else StatusText.Write(Console.Out, state);
            return ExitCode.Done;
        });
        return command;
    }
}
