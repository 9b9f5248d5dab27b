using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using TorchSharp;

namespace ServerlessBert.Functions.Checks;

/// <summary>
/// Whether libtorch loads, asked before the first use of TorchSharp: its own fallback copies every native library
/// into a folder beside the program and tries again, half a gigabyte for a trace that names no cause.
/// </summary>
public static class NativeLibraryCheck
{
    /// <summary>Loads libtorch; false, with one sentence that says what is missing and what to do, where it does not load.</summary>
    public static bool TryLoad([NotNullWhen(false)] out string? reason)
    {
        try
        {
            NativeLibrary.Load(FindLibrary() ?? "LibTorchSharp", typeof(torch).Assembly, null);
            reason = null;
            return true;
        }
        catch (Exception exception) when (exception is DllNotFoundException or BadImageFormatException)
        {
            reason = $"libtorch does not load on this machine: {Cause(exception.Message)}. {Advice(exception.Message)}";
            return false;
        }
    }

    /// <summary>The linker's own words out of the runtime's message: its last line, without the folder and the closing stop.</summary>
    internal static string Cause(string message) =>
        message.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .Last(line => !line.StartsWith("Unable to load", StringComparison.Ordinal) || !message.Contains('\n', StringComparison.Ordinal))
            .Replace(AppContext.BaseDirectory, "", StringComparison.Ordinal)
            .TrimEnd('.');

    private static string Advice(string message) =>
        message.Contains("GLIBC", StringComparison.Ordinal)
            ? "The system's C or C++ library is too old: use Debian 12, Ubuntu 24.04 or newer."
            : "Run ./setup, or install the library that is named (a package such as libgomp1 or libstdc++6).";

    private static string? FindLibrary()
    {
        string name = OperatingSystem.IsWindows() ? "LibTorchSharp.dll"
            : OperatingSystem.IsMacOS() ? "libLibTorchSharp.dylib" : "libLibTorchSharp.so";
        string path = Path.Combine(AppContext.BaseDirectory, name);
        return File.Exists(path) ? path : null;
    }
}
