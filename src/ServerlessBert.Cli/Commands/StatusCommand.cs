using System.CommandLine;
using Microsoft.Extensions.DependencyInjection;
using ServerlessBert.Cli.Input;
using ServerlessBert.Cli.Output;
using ServerlessBert.LocalHost;
using ServerlessBert.Pipeline.Operations;

namespace ServerlessBert.Cli.Commands;

/// <summary><c>sbert status</c>: storage, queues, live model, hosts and runs.</summary>
internal static class StatusCommand
{
    public static Command Create()
    {
        var json = new Option<bool>("--json") { Description = "As JSON." };
        var command = new Command(
            "status", "Storage, queues, the live model, each host's model and last prediction, running and finished runs.") { json };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            await Storage.OpenAsync(cancellationToken);
            await using ServiceProvider services = new ServiceCollection().AddReviewPipeline(HostSettings.Load()).BuildServiceProvider();
            PipelineState state = await services.GetRequiredService<PipelineStatus>().ReadAsync(cancellationToken);
            // This process's own model cache is empty and says nothing of the hosts.
            if (parsed.GetValue(json)) Terminal.WriteJson(
                new { state.Account, state.Queues, state.Live, state.LiveError, state.Hosts, state.Trainings, state.Runs });
            else foreach (string line in StatusText.Lines(state)) Terminal.WriteLine(line);
            return ExitCode.Done;
        });
        return command;
    }
}
