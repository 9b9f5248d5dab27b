using System.Runtime.InteropServices;

namespace ServerlessBert.Benchmarks;

/// <summary>What a result was measured on.</summary>
internal static class Machine
{
    /// <summary>The processor's name, its logical cores, system and runtime, in a line.</summary>
    public static string Describe() =>
        $"{Processor()}, {Environment.ProcessorCount} logical cores, {RuntimeInformation.OSDescription}, "
            + $"{RuntimeInformation.FrameworkDescription}";

    private static string Processor()
    {
        const string file = "/proc/cpuinfo";
        string? line = File.Exists(file)
            ? File.ReadLines(file).FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal)) : null;
        return line?.Split(':', 2)[1].Trim() ?? RuntimeInformation.ProcessArchitecture.ToString();
    }
}
