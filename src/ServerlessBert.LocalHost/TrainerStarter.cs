using System.ComponentModel;
using Azure.Storage.Queues;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace ServerlessBert.LocalHost;

/// <summary>
/// Starts the trainer as the container job's scaler does: when a request waits in the queue and none runs. The trainer
/// takes its own message.
/// </summary>
/// <param name="queue">training-requests.</param>
/// <param name="command">The trainer's program and arguments.</param>
/// <param name="settings">Settings for its environment.</param>
/// <param name="onLine">Called for every line that it prints.</param>
/// <param name="logger">Where starts and ends are logged.</param>
internal sealed class TrainerStarter(
    QueueClient queue, IReadOnlyList<string> command, IReadOnlyDictionary<string, string> settings, Action<string> onLine, ILogger logger) : BackgroundService
{
    private static readonly TimeSpan Polling = TimeSpan.FromSeconds(2), PauseAfterFailure = TimeSpan.FromSeconds(30), Patience = TimeSpan.FromSeconds(20);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            TimeSpan pause = Polling;
            if (await IsRequestWaitingAsync(stoppingToken) && await TrainAsync(stoppingToken) != 0) pause = PauseAfterFailure;
            await Task.Delay(pause, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task<bool> IsRequestWaitingAsync(CancellationToken stoppingToken)
    {
        try
        {
            return (await queue.PeekMessagesAsync(1, stoppingToken)).Value.Length > 0;
        }
        catch (Exception exception) when (StorageErrors.IsTransient(exception))
        {
            if (!stoppingToken.IsCancellationRequested) HostLog.QueueUnreachable(logger, queue.Name, StorageErrors.Sentence(exception));
            return false;
        }
    }

    private async Task<int> TrainAsync(CancellationToken stoppingToken)
    {
        HostLog.TrainerStarting(logger, queue.Name);
        try
        {
            await using ChildProcess trainer = ChildProcess.Start(command, settings, onLine);
            // Asked to end, it gives its message back.
            await using CancellationTokenRegistration stop = stoppingToken.Register(() => _ = trainer.StopAsync(Patience));
            int exitCode = await trainer.WaitAsync(CancellationToken.None);
            HostLog.TrainerEnded(logger, exitCode);
            return exitCode;
        }
        catch (Win32Exception exception)
        {
            HostLog.TrainerNotStarted(logger, exception.Message);
            return -1;
        }
    }
}
