using System.CommandLine;

namespace ServerlessBert.Benchmarks.Results;

/// <summary>Where a verb's JSON goes.</summary>
internal static class ResultsOption
{
    /// <summary><c>--results FOLDER</c>.</summary>
    public static Option<DirectoryInfo?> Create() =>
        new("--results") { Description = "Write VERB.json into this folder too, e.g. benchmarks/results." };
}
