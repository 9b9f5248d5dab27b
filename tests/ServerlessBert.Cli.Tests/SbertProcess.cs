using System.Diagnostics;

namespace ServerlessBert.Cli.Tests;

/// <summary>sbert as its users run it: a process of its own.</summary>
internal static class SbertProcess
{
    public sealed record Result(int ExitCode, string Output, string Errors);

    /// <summary>Runs a verb to its end.</summary>
    public static async Task<Result> RunAsync(IReadOnlyList<string> arguments, string? input = null,
        IReadOnlyDictionary<string, string>? environment = null)
    {
        using Process process = Start(arguments, environment);
        Task<string> output = process.StandardOutput.ReadToEndAsync(), errors = process.StandardError.ReadToEndAsync();
        if (input is not null) await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(3));
        await process.WaitForExitAsync(patience.Token);
        return new Result(process.ExitCode, await output, await errors);
    }

    /// <summary>Starts a verb that goes on until it is ended.</summary>
    public static Process Start(IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo("dotnet")
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Path.GetTempPath(),
        };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "sbert.dll"));
        foreach (string argument in arguments) start.ArgumentList.Add(argument);
        foreach ((string name, string value) in environment ?? new Dictionary<string, string>()) start.Environment[name] = value;
        return Process.Start(start)!;
    }
}
