using System.Runtime.InteropServices;
using System.Security.Cryptography;
using TorchSharp;

namespace ServerlessBert.Build.Tests;

public sealed class WeakenVersionNeedTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("weaken-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void The_copy_is_weak_and_the_packages_file_is_untouched()
    {
        byte[] before = SHA256.HashData(PackageLibrary.Read());
        string destination = Path.Combine(folder, "new", "libLibTorchSharp.so");
        Run(PackageLibrary.Path, destination);
        Assert.Single(PackageLibrary.Differences(PackageLibrary.Read(), File.ReadAllBytes(destination)));
        Assert.Equal(before, SHA256.HashData(PackageLibrary.Read()));
        Assert.Equal([destination], Directory.GetFiles(folder, "*", SearchOption.AllDirectories));
    }

    [Fact]
    public void A_file_that_differs_is_copied_as_it_is_with_a_sentence()
    {
        string source = Path.Combine(folder, "other.so"), destination = Path.Combine(folder, "copy.so");
        File.WriteAllText(source, "not a library");
        Assert.Equal(["other.so is left as it is: it is not a 64-bit little-endian ELF file."], Run(source, destination));
        Assert.Equal("not a library", File.ReadAllText(destination));
    }

    [Fact]
    public void A_copy_that_is_up_to_date_is_not_written_again_and_an_older_one_is()
    {
        string source = Path.Combine(folder, "a.so"), destination = Path.Combine(folder, "b.so");
        File.WriteAllText(source, "one");
        Run(source, destination);
        DateTime written = File.GetLastWriteTimeUtc(destination);
        Assert.Empty(Run(source, destination));
        Assert.Equal(written, File.GetLastWriteTimeUtc(destination));

        File.WriteAllText(source, "two");
        File.SetLastWriteTimeUtc(source, written.AddSeconds(1));
        Run(source, destination);
        Assert.Equal("two", File.ReadAllText(destination));
    }

    [Fact]
    public void The_outputs_library_is_the_weakened_one_and_loads_here()
    {
        string output = Path.Combine(AppContext.BaseDirectory, "libLibTorchSharp.so");
        Assert.Single(PackageLibrary.Differences(PackageLibrary.Read(), File.ReadAllBytes(output)));
        Assert.NotEqual(0, NativeLibrary.Load(output));
        Assert.Equal(3f, torch.ones(3).sum().item<float>());
    }

    private static List<string> Run(string source, string destination)
    {
        var engine = new RecordingBuildEngine();
        var task = new WeakenVersionNeed
        {
            BuildEngine = engine,
            Source = source,
            Destination = destination,
            Library = PackageLibrary.Library,
            Version = PackageLibrary.Version
        };
        Assert.True(task.Execute());
        return engine.Messages;
    }
}
