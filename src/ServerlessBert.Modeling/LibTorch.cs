using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using TorchSharp;

namespace ServerlessBert.Modeling;

/// <summary>Whether libtorch, which does the computing, loads on this machine.</summary>
public static partial class LibTorch
{
    /// <summary>Loads libtorch, or says in one sentence what is missing. Call it before anything else of TorchSharp.</summary>
    /// <param name="reason">What is missing and how to get it, or null.</param>
    public static bool TryLoad(out string? reason)
    {
        reason = null;
        string library = OperatingSystem.IsWindows() ? "LibTorchSharp.dll" : OperatingSystem.IsMacOS() ? "libLibTorchSharp.dylib"
            : "libLibTorchSharp.so";
        // Beside the program where it is built for one platform, else where a build for all of them puts it.
        string path = Path.Combine(AppContext.BaseDirectory, library);
        if (!File.Exists(path)) path =
            Path.Combine(AppContext.BaseDirectory, "runtimes", RuntimeInformation.RuntimeIdentifier, "native", library);
        if (!File.Exists(path))
        {
            reason = $"libtorch is not beside the program ({path} is missing): build or publish it for this platform "
                + $"({RuntimeInformation.RuntimeIdentifier}), with the package TorchSharp-cpu or TorchSharp-cuda-linux.";
            return false;
        }
        try
        {
            // Loaded by its path first: where TorchSharp fails to load it by name, it copies 500 MB and tries again.
            NativeLibrary.Load(path);
            torch.InitializeDeviceType(DeviceType.CPU);
            return true;
        }
        catch (Exception exception) when (exception is DllNotFoundException or BadImageFormatException or NotSupportedException)
        {
            reason = $"libtorch does not load: {Cause(exception.Message)}";
            return false;
        }
    }

    private static string Cause(string message) =>
        MissingLibrary().Match(message) is { Success: true } library
            ? $"{library.Groups[1].Value} is missing; install the system package that has it (./setup does on Debian and Ubuntu)."
        : MissingVersion().Match(message) is { Success: true } version
            ? $"{version.Groups[1].Value} is not in this system's C++ or C library; use a newer distribution (Ubuntu 24.04, Debian "
                + $"13) or the build's own copy of the library."
        : message.ReplaceLineEndings(" ");

    [GeneratedRegex(@"(lib[\w.+-]+\.so[\w.]*): cannot open shared object file")]
    private static partial Regex MissingLibrary();

    [GeneratedRegex(@"version [`'](GLIBC\w*_[\d.]+)' not found")]
    private static partial Regex MissingVersion();
}
