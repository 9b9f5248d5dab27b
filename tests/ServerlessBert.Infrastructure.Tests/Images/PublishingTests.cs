using System.Globalization;
using Xunit.Abstractions;

namespace ServerlessBert.Infrastructure.Tests;

[Collection(FunctionsImage.Collection)]
public sealed class PublishingTests(PublishingTests.TrainerImage trainer, FunctionsImage functions, ITestOutputHelper output)
    : IClassFixture<PublishingTests.TrainerImage>
{
    [Fact]
    public void The_functions_image_is_whole_and_its_check_passes()
    {
        PublishedImage image = functions.Image;
        MustBeOfThisPlatform(image, "functions");
        Assert.True(File.Exists(Path.Combine(image.Published, "host.json")));
        Assert.False(File.Exists(Path.Combine(image.Published, "local.settings.sample.json")));
        new FunctionsFolder(image.Published).MustBeWhatTheHostReads();

        var check = image.Check("functions");
        Assert.Equal((0, ""), (check.ExitCode, check.Error));
        Assert.Equal("libtorch: loads\ndevices: cpu\nstorage: not checked, AzureWebJobsStorage is not set\n", check.Output);
    }

    [Fact]
    public void The_trainers_image_for_a_processor_is_whole_and_its_check_passes() => MustBeWhole(trainer.Image, "trainer (cpu)");

    [CudaPackageFact]
    public void The_trainers_image_for_CUDA_is_whole_and_its_check_passes()
    {
        using var image = PublishedImage.Build("trainer", device: "cuda");
        MustBeWhole(image, "trainer (cuda)");
    }

    [Fact]
    public void A_build_whose_library_does_not_load_fails()
    {
        var check = trainer.Image.Check("trainer", without: "libc10.so");
        Assert.NotEqual(0, check.ExitCode);
        Assert.Contains("libc10.so", check.Output, StringComparison.Ordinal);
    }

    private void MustBeWhole(PublishedImage image, string name)
    {
        MustBeOfThisPlatform(image, name);

        // Without storage, as while an image is built.
        var check = image.Check("trainer");
        Assert.Equal((0, ""), (check.ExitCode, check.Error));
        Assert.Contains("libtorch: loads", check.Output, StringComparison.Ordinal);
    }

    private void MustBeOfThisPlatform(PublishedImage image, string name)
    {
        var published = Files(image.Published);
        var native = Files(image.Native);
        output.WriteLine(
            string.Create(CultureInfo.InvariantCulture,
            $"{name}: native libraries {Size(native):N0} MB in {native.Count} files, code {Size(published):N1} MB in "
                + $"{published.Count} files"));

        Assert.All(native, file => Assert.Equal("linux-x64", NativeFile.PlatformOf(file)));
        // Beside managed code only the small program that starts it.
        string program = Assert.Single(published, file => NativeFile.PlatformOf(file) is not null);
        Assert.Equal("linux-x64", NativeFile.PlatformOf(program));
        Assert.True(File.Exists(program + ".dll"));
        Assert.Contains(native, file => Path.GetFileName(file) == "libtorch_cpu.so");
        MustHaveTheWeakenedLibrary(native.Single(file => Path.GetFileName(file) == "libLibTorchSharp.so"));
    }

    /// <summary>The package's library but for one flag, which the build sets so that it loads on older distributions too.</summary>
    private static void MustHaveTheWeakenedLibrary(string library)
    {
        byte[] published = File.ReadAllBytes(library);
        byte[] original =
            File.ReadAllBytes(
            Path.Combine(Repository.Metadata("TorchSharpPackage"), "runtimes", "linux-x64", "native", "libLibTorchSharp.so"));
        Assert.Equal(original.Length, published.Length);
        int at = Assert.Single(Enumerable.Range(0, original.Length), i => original[i] != published[i]);
        Assert.Equal((0, 2), (original[at], published[at]));
    }

    private static List<string> Files(string folder) => [.. Directory.GetFiles(folder, "*", SearchOption.AllDirectories)];

    private static double Size(IEnumerable<string> files) => files.Sum(file => new FileInfo(file).Length) / 1e6;

    /// <summary>The trainer's image for processors, built once for these tests.</summary>
    public sealed class TrainerImage : IDisposable
    {
        internal PublishedImage Image { get; } = PublishedImage.Build("trainer", device: "cpu");

        public void Dispose() => Image.Dispose();
    }
}

/// <summary>The functions' image, built once for the tests that look at it or start it.</summary>
[CollectionDefinition(Collection)]
public sealed class FunctionsImage : ICollectionFixture<FunctionsImage>, IDisposable
{
    public const string Collection = "The functions' image";

    internal PublishedImage Image { get; } = PublishedImage.Build("functions", device: "cpu");

    public void Dispose() => Image.Dispose();
}

/// <summary>A test of the CUDA build, skipped where its packages, 3 GB of them, are not on this machine.</summary>
public sealed class CudaPackageFactAttribute : FactAttribute
{
    public CudaPackageFactAttribute()
    {
        if (!Directory.Exists(Path.Combine(Repository.Metadata("NuGetPackages"), "torchsharp-cuda-linux")))
            Skip = "needs the package TorchSharp-cuda-linux, which is not among this machine's NuGet packages (dotnet restore "
                + "src/ServerlessBert.Trainer -p:TrainerDevice=cuda)";
    }
}
