using System.CommandLine;
using System.CommandLine.Help;
using System.Globalization;
using Azure;
using Azure.Identity;
using ServerlessBert.Cli.Commands;
using ServerlessBert.Cli.Help;
using ServerlessBert.Cli.Input;
using ServerlessBert.Cli.Models;
using ServerlessBert.Cli.Output;

namespace ServerlessBert.Cli;

/// <summary>sbert's verbs, and what becomes of their errors.</summary>
internal static class CommandLine
{
    /// <summary>Every verb.</summary>
    public static RootCommand CreateRoot()
    {
        var root = new RootCommand("sbert classifies reviews with BERT, trains it, and runs the ServerlessBert functions on this machine.")
        {
            HostCommand.Create(),
            DropCommand.Create(),
            ClassifyCommand.Create(),
            PredictCommand.Create(),
            TokenizeCommand.Create(),
            PretrainCommand.Create(),
            TrainCommand.Create(),
            TrainerCommand.Create(),
            EvaluateCommand.Create(),
            GenerateCommand.Create(),
            ModelsCommand.Create(),
            QueuesCommand.Create(),
            StatusCommand.Create(),
            CompletionCommand.Create(),
        };
        root.Options.OfType<HelpOption>().Single().Action = new HelpPage();
        return root;
    }

    /// <summary>Runs a command line.</summary>
    /// <returns>One of <see cref="ExitCode"/>.</returns>
    public static async Task<int> RunAsync(string[] args, CancellationToken cancellationToken = default)
    {
        // Numbers are read and written alike everywhere: under LC_ALL=de_DE.UTF-8 too, --max-hours 0.5 is half an hour.
        CultureInfo.CurrentCulture = CultureInfo.DefaultThreadCurrentCulture = CultureInfo.InvariantCulture;
        CultureInfo.CurrentUICulture = CultureInfo.DefaultThreadCurrentUICulture = CultureInfo.InvariantCulture;
        try
        {
            ParseResult parsed = CreateRoot().Parse(args);
            // A line to be completed is not finished, and a directive says so.
            bool isSuggestion = args is [['[', ..], ..];
            if (!isSuggestion && UsageErrors.Of(parsed) is { Count: > 0 } errors && parsed.Action is not { ClearsParseErrors: true })
            {
                foreach (string error in errors) Terminal.Fail(error);
                Terminal.Log($"Try: {parsed.CommandResult.Command.Typed()} --help");
                return ExitCode.Usage;
            }
            // Signals are StopSignals' business.
            var configuration = new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null };
            return await parsed.InvokeAsync(configuration, cancellationToken);
        }
        catch (OutputClosedException)
        {
            return ExitCode.Done;
        }
        catch (OperationCanceledException)
        {
            return Fail("stopped; what was done before is kept.", ExitCode.Failed);
        }
        catch (Exception exception) when (Environment.GetEnvironmentVariable("SBERT_TRACE") is null)
        {
            return Fail(Sentence(exception), CodeOf(exception));
        }
    }

    private static int Fail(string message, int code)
    {
        Terminal.Fail(message);
        return code;
    }

    private static int CodeOf(Exception exception) => exception switch
    {
        UsageException => ExitCode.Usage,
        OutputException output => output.ExitCode,
        _ => ExitCode.Failed,
    };

    private static string Sentence(Exception exception) => exception switch
    {
        RequestFailedException { Status: 0 } or AggregateException { InnerException: RequestFailedException { Status: 0 } } =>
            "storage does not answer; start it with `sbert host`, or set AzureWebJobsStorage to the account to use.",
        RequestFailedException { Status: 401 or 403 } refused =>
            $"storage refuses this user ({refused.ErrorCode}); it takes the roles Storage Blob Data Contributor and "
            + $"Storage Queue Data Contributor.",
        RequestFailedException failed => $"storage answered {failed.Status} {failed.ErrorCode}.",
        AuthenticationFailedException failed =>
            $"no Azure identity can be used ({failed.Message.Split('\n')[0].Trim().TrimEnd('.')}); run `az login`, or set "
                + $"AzureWebJobsStorage.",
        IOException or InvalidDataException or UnauthorizedAccessException => exception.Message,
        ServerlessBertException known => known.Message,
        _ => $"{exception.Message.ReplaceLineEndings(" ")} ({exception.GetType().Name}; this is a defect: set SBERT_TRACE=1 to see where.)",
    };
}
