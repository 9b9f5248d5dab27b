using System.Diagnostics;
using System.Reflection;

namespace ServerlessBert.Infrastructure.Tests;

/// <summary>The repository's files, and programs run in its root.</summary>
internal static class Repository
{
    public static string Root { get; } = Path.GetFullPath(Metadata("RepositoryRoot"));

    public static string PathOf(params string[] parts) => Path.Combine([Root, .. parts]);

    public static string Read(params string[] parts) => File.ReadAllText(PathOf(parts));

    /// <summary>What the build wrote into this assembly.</summary>
    public static string Metadata(string key) =>
        typeof(Repository).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == key).Value!;

    /// <summary>Makes a file a program.</summary>
    public static void MakeExecutable(string file) => Assert.Equal(0, Run("chmod", ["+x", file]).ExitCode);

    /// <summary>Runs a program in the repository's root to its end.</summary>
    public static Outcome Run(string program, IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo(
            program, arguments)
        { WorkingDirectory = Root, RedirectStandardOutput = true, RedirectStandardError = true };
        // What an enclosing dotnet test sets is not this program's business.
        foreach (string name in start.Environment.Keys.Where(
            name => name.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase)
            || name.StartsWith("AzureWebJobs", StringComparison.Ordinal)).ToList())
            start.Environment.Remove(name);
        // No build server is left behind.
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        start.Environment["UseSharedCompilation"] = "false";
        foreach (var (name, value) in environment ?? new Dictionary<string, string>()) start.Environment[name] = value;

        using var process = Process.Start(start)!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return new Outcome(process.ExitCode, output, error.Result);
    }
}

/// <summary>How a program ended.</summary>
internal sealed record Outcome(int ExitCode, string Output, string Error);
