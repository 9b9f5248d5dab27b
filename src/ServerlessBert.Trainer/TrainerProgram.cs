using System.Runtime.InteropServices;
using Azure;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ServerlessBert.Modeling;
using ServerlessBert.Pipeline.Operations;
using ServerlessBert.Pipeline.Settings;

namespace ServerlessBert.Trainer;

/// <summary>The training job as a program: takes one request and ends, as a job's execution does.</summary>
public static class TrainerProgram
{
    /// <summary>Runs the job once.</summary>
    /// <param name="args"><c>--once</c> (also the default), or <c>--check</c>: libtorch, devices, storage and the live model,
    /// one line each.</param>
    /// <param name="configuration">Settings: storage as the functions have it, and the section ServerlessBert:Trainer.</param>
    /// <returns>One of <see cref="TrainerExitCode"/>.</returns>
    public static async Task<int> RunAsync(string[] args, IConfiguration configuration)
    {
        if (args.Except(["--once", "--check"]).FirstOrDefault() is { } unknown)
            return Refuse($"{unknown} is not an option; it takes --once (the default) or --check.", TrainerExitCode.Usage);
        if (args.Contains("--check")) return await SelfCheck.RunAsync(configuration, Console.Out)
            ? TrainerExitCode.Done : TrainerExitCode.Failed;

        // Before anything native runs: a process that the runtime ends while libtorch computes ends in "terminate called".
        using var stop = new CancellationTokenSource();
        using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, signal => Stop(signal, stop));
        using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal => Stop(signal, stop));
        if (!LibTorch.TryLoad(out string? reason)) return Refuse(reason, TrainerExitCode.Failed);
        await using ServiceProvider services = new ServiceCollection()
            .AddLogging(logging => logging.AddSimpleConsole(console => console.SingleLine = true))
            .AddTrainer(configuration).BuildServiceProvider();
        TrainingJob job;
        try
        {
            services.ValidateSettings();
            job = services.GetRequiredService<TrainingJob>();
        }
        catch (ServerlessBertException exception)
        {
            return Refuse(exception.Message, TrainerExitCode.Usage); // settings that cannot work, a device that is not there
        }
        try
        {
            return await job.RunOnceAsync(stop.Token);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return TrainerExitCode.Interrupted; // before a request was taken
        }
        catch (Exception exception)
        {
            // Nothing may leave as a stack trace. What was held comes back by itself, so the next execution finds it.
            services.GetRequiredService<ILogger<TrainingJob>>().JobFailed(FailureText.Of(exception));
            return TrainerExitCode.TryAgain;
        }
    }

    private static int Refuse(string? message, int exitCode)
    {
        Console.Error.WriteLine($"trainer: {message}");
        return exitCode;
    }

    private static void Stop(PosixSignalContext signal, CancellationTokenSource stop)
    {
        signal.Cancel = true; // the step in hand is finished, and the request is put back
        stop.Cancel();
    }
}

/// <summary>What the training job ends with.</summary>
public static class TrainerExitCode
{
    /// <summary>The request came to its end (promoted or not), or none waited.</summary>
    public const int Done = 0;

    /// <summary>The request failed for good and is in the poison queue with its reason.</summary>
    public const int Failed = 1;

    /// <summary>Wrong usage, or settings that cannot work.</summary>
    public const int Usage = 2;

    /// <summary>Stopped from outside; what was learned is kept and the request is back in the queue.</summary>
    public const int Interrupted = 3;

    /// <summary>Another request's training runs; this one is back in the queue, for later.</summary>
    public const int Busy = 4;

    /// <summary>An error that may pass, such as storage that does not answer: the queue delivers the request again.</summary>
    public const int TryAgain = 5;
}

/// <summary>An exception as one sentence of a log or a document.</summary>
internal static class FailureText
{
    /// <summary>What happened: our own messages as they stand, storage's by status and code, others' first line with their type.</summary>
    public static string Of(Exception exception) => exception switch
    {
        ServerlessBertException known => known.Message,
        AggregateException { InnerException: { } inner } => Of(inner),
        RequestFailedException { Status: 0 } unreachable => $"storage does not answer ({FirstLine(unreachable.Message)})",
        RequestFailedException answered => $"storage answered {answered.Status} {answered.ErrorCode}",
        OperationCanceledException => "storage did not answer in time",
        _ => $"{FirstLine(exception.Message)} ({exception.GetType().Name})",
    };

    private static string FirstLine(string message) => message.Trim().Split('\n')[0].TrimEnd('\r');
}
