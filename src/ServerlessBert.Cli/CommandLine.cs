using System.CommandLine;
using System.Globalization;
using Azure;
using ServerlessBert.Cli.Commands;
using ServerlessBert.Cli.Input;
using ServerlessBert.Cli.Output;

namespace ServerlessBert.Cli;

/// <summary>sbert's verbs, and what becomes of their errors.</summary>
internal static class CommandLine
{
    /// <summary>Every verb.</summary>
    public static RootCommand CreateRoot() => new RootCommand("sbert classifies reviews with BERT, trains it, and runs the ServerlessBert functions on this machine.")
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
    };

    public static async Task<int> RunAsync(string[] args)
    {
        // Numbers are read and written alike everywhere: under LC_ALL=de_DE.UTF-8 too, --max-hours 0.5 is half an hour.
        CultureInfo.CurrentCulture = CultureInfo.DefaultThreadCurrentCulture = CultureInfo.InvariantCulture;
        ParseResult parsed = CreateRoot().Parse(args);
        if (parsed.Errors.Count > 0)
        {
            foreach (var error in parsed.Errors) Console.Error.WriteLine($"sbert: {error.Message}");
            Console.Error.WriteLine($"Try: {HelpFor(parsed.CommandResult.Command)}");
            return ExitCode.Usage;
        }
        try
        {
            // Ctrl-C ends a verb by its token; after this long, longer than the host's drain, it ends all the same.
            return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = TimeSpan.FromMinutes(1) });
        }
        catch (UsageException exception)
        {
            return Fail(exception.Message, ExitCode.Usage);
        }
        catch (OperationCanceledException)
        {
            return Fail("stopped; what was done before is kept.", ExitCode.Failed);
        }
        catch (Exception exception) when (Environment.GetEnvironmentVariable("SBERT_TRACE") is null)
        {
            return Fail(Sentence(exception), ExitCode.Failed);
        }
    }

    private static int Fail(string message, int code)
    {
        Console.Error.WriteLine($"sbert: {message}");
        return code;
    }

    private static string Sentence(Exception exception) => exception switch
    {
        RequestFailedException { Status: 0 } or AggregateException { InnerException: RequestFailedException { Status: 0 } } =>
            "storage does not answer; start it with `sbert host`, or set AzureWebJobsStorage to the account to use.",
        RequestFailedException { Status: 401 or 403 } refused =>
            $"storage refuses this user ({refused.ErrorCode}); it takes the roles Storage Blob Data Contributor and Storage Queue Data Contributor.",
        RequestFailedException failed => $"storage answered {failed.Status} {failed.ErrorCode}.",
        IOException or InvalidDataException or UnauthorizedAccessException => exception.Message,
        ServerlessBertException known => known.Message,
        _ => $"{exception.Message.ReplaceLineEndings(" ")} ({exception.GetType().Name}; this is a defect: set SBERT_TRACE=1 to see where.)",
    };

    private static string HelpFor(Command command)
    {
        var names = new Stack<string>();
        for (Symbol? symbol = command; symbol is not null; symbol = symbol.Parents.FirstOrDefault())
            names.Push(symbol is RootCommand ? "sbert" : symbol.Name);
        return string.Join(' ', names) + " --help";
    }
}
