using System.Runtime.InteropServices;
using Microsoft.Extensions.Configuration;
using ServerlessBert.Modeling;
using ServerlessBert.Pipeline.Models;
using ServerlessBert.Pipeline.Operations;
using ServerlessBert.Pipeline.Storage;
using Spectre.Console;

namespace ServerlessBert.Trainer;

/// <summary>The training job as a program: takes one request and ends, as a job's execution does.</summary>
public static class TrainerProgram
{
    /// <summary>Runs the job once.</summary>
    /// <param name="args"><c>--once</c> (also the default), or <c>--check</c>: libtorch, devices, storage and the live model, one line each.</param>
    /// <param name="configuration">Settings: storage as the functions have it, and the section ServerlessBert:Trainer.</param>
    /// <returns>One of <see cref="TrainerExitCode"/>.</returns>
    public static async Task<int> RunAsync(string[] args, IConfiguration configuration)
    {
        if (args.Except(["--once", "--check"]).FirstOrDefault() is { } unknown)
        {
            Console.Error.WriteLine($"trainer: {unknown} is no option; it takes --once (the default) or --check.");
            return TrainerExitCode.Usage;
        }
        if (args.Contains("--check")) return await SelfCheck.RunAsync(configuration, Console.Out) ? TrainerExitCode.Done : TrainerExitCode.Failed;
        if (!LibTorch.TryLoad(out string? reason))
        {
            Console.Error.WriteLine($"trainer: {reason}");
            return TrainerExitCode.Failed;
        }
        using var stop = new CancellationTokenSource();
        using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, signal => Stop(signal, stop));
        using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal => Stop(signal, stop));
        try
        {
            TrainerOptions options = TrainerOptions.From(configuration);
            PipelineStorage storage = PipelineStorage.FromConfiguration(configuration);
            IAnsiConsole console = AnsiConsole.Console;
            bool isWatched = !Console.IsOutputRedirected && console.Profile.Capabilities.Interactive;
            var job = new TrainingJob(storage, new ModelRegistry(storage), options, run => TrainingDisplay.Run(console, isWatched, run), Console.WriteLine, ReviewPipelineServices.ReviewOptionsOf(configuration));
            return await job.RunOnceAsync(stop.Token);
        }
        catch (Exception exception) when (exception is InvalidOperationException or TrainingException)
        {
            Console.Error.WriteLine($"trainer: {exception.Message}"); // settings that cannot work
            return TrainerExitCode.Usage;
        }
        catch (Azure.RequestFailedException exception)
        {
            Console.Error.WriteLine($"trainer: storage answered {exception.Status} {exception.ErrorCode}; the request will be delivered again.");
            return TrainerExitCode.TryAgain;
        }
        catch (AggregateException exception)
        {
            Console.Error.WriteLine($"trainer: storage does not answer ({exception.InnerException?.Message}); the request will be delivered again.");
            return TrainerExitCode.TryAgain;
        }
        catch (OperationCanceledException)
        {
            return TrainerExitCode.Interrupted; // before a request was taken
        }
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
    /// <summary>The request was seen through (promoted or not), or none waited.</summary>
    public const int Done = 0;

    /// <summary>The request was given up and is in the poison queue with its reason.</summary>
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
