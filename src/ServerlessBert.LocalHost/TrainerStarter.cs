using System.ComponentModel;
using Azure.Storage.Queues;
using Microsoft.Extensions.Logging;

namespace ServerlessBert.LocalHost;

/// <summary>
/// Starts the trainer as the container job's scaler does: when a request waits in the queue and none runs. The trainer
/// takes its own message.
/// </summary>
/// <param name="queue">training-requests, without a message encoding: what cannot be decoded must not hide what waits behind it.</param>
/// <param name="command">The trainer's program and arguments.</param>
/// <param name="settings">Settings for its environment.</param>
/// <param name="onLine">Called for every line that it prints.</param>
/// <param name="logger">Where starts and ends are logged.</param>
internal sealed class TrainerStarter(
    QueueClient queue, IReadOnlyList<string> command, IReadOnlyDictionary<string, string> settings, Action<string> onLine, ILogger logger)
    : HostLoop("training job", logger)
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromSeconds(2), RetryDelay = TimeSpan.FromSeconds(30),
        StopTimeout = TimeSpan.FromSeconds(20);

    /// <inheritdoc/>
    protected override async Task<TimeSpan> RoundAsync(CancellationToken stoppingToken)
    {
        bool isRequestWaiting = (await queue.PeekMessagesAsync(1, stoppingToken)).Value.Length > 0;
        return isRequestWaiting && await TrainAsync(stoppingToken) != 0 ? RetryDelay : PollInterval;
    }

    private async Task<int> TrainAsync(CancellationToken stoppingToken)
    {
        HostLog.TrainerStarting(Logger, queue.Name);
        try
        {
            await using ChildProcess trainer = ChildProcess.Start(command, settings, onLine);
            // Asked to end, it gives its message back.
            await using CancellationTokenRegistration stop = stoppingToken.Register(() => _ = trainer.StopAsync(StopTimeout));
            int exitCode = await trainer.WaitAsync(CancellationToken.None);
            HostLog.TrainerEnded(Logger, exitCode);
            return exitCode;
        }
        catch (Win32Exception exception)
        {
            HostLog.TrainerNotStarted(Logger, exception.Message);
            return -1;
        }
    }
}
