using System.Reflection;

namespace ServerlessBert.Build.Tests;

/// <summary>TorchSharp's native library for Linux as the package has it.</summary>
internal static class PackageLibrary
{
    public const string Library = "libstdc++.so.6", Version = "GLIBCXX_3.4.32";

    public static string Path { get; } = System.IO.Path.Combine(
        typeof(PackageLibrary).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
            .Single(data => data.Key == "TorchSharpPackage").Value!,
        "runtimes", "linux-x64", "native", "libLibTorchSharp.so");

    /// <summary>A fresh copy of its bytes.</summary>
    public static byte[] Read() => File.ReadAllBytes(Path);

    /// <summary>Where two images of one length differ.</summary>
    public static int[] Differences(byte[] left, byte[] right)
    {
        Assert.Equal(left.Length, right.Length);
        return [.. Enumerable.Range(0, left.Length).Where(at => left[at] != right[at])];
    }
}
