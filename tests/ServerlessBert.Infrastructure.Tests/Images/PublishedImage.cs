namespace ServerlessBert.Infrastructure.Tests;

/// <summary>An image's files, made by the very commands that its Dockerfile's build stage runs.</summary>
internal sealed class PublishedImage : IDisposable
{
    private readonly DirectoryInfo _top = Directory.CreateTempSubdirectory("serverlessbert-image-");

    private PublishedImage()
    {
    }

    /// <summary>The code, as the build stage leaves it.</summary>
    public string Published => Path.Combine(_top.FullName, "published");

    /// <summary>The native libraries, as the build stage leaves them.</summary>
    public string Native => Path.Combine(_top.FullName, "native");

    /// <summary>
    /// Runs the build stage's commands as they stand; only the folders, which they take from the environment, are others, and
    /// what they throw away.
    /// </summary>
    public static PublishedImage Build(string service, string device)
    {
        var image = new PublishedImage();
        var environment =
            new Dictionary<string, string>
            {
                ["PUBLISHED"] = image.Published,
                ["NATIVE"] = image.Native,
                ["TRAINER_DEVICE"] = device,
                ["LEFT_OVER"] = Path.Combine(image._top.FullName, "left-over")
            };
        var dockerfile = Dockerfile.Read(service);
        foreach (string command in Dockerfile.Of(
            dockerfile.Instructions.Take(dockerfile.Instructions.Count - dockerfile.FinalStage.Count), "RUN"))
        {
            var outcome = Repository.Run("sh", ["-c", command], environment);
            if (outcome.ExitCode != 0) image.Dispose();
            Assert.True(outcome.ExitCode == 0, $"{command}\n{outcome.Output}\n{outcome.Error}");
        }
        return image;
    }

    /// <summary>Lays both layers into a new folder, as the image does, and runs the Dockerfile's check there.</summary>
    /// <param name="service">functions or trainer.</param>
    /// <param name="without">A file that is left out.</param>
    public Outcome Check(string service, string? without = null)
    {
        string image = Layers();
        if (without is not null) File.Delete(Path.Combine(image, without));

        string command = Dockerfile.Of(Dockerfile.Read(service).FinalStage, "RUN")
            .Single(run => run.EndsWith(" --check", StringComparison.Ordinal));
        string folder = service == "functions" ? "/home/site/wwwroot/" : "/app/";
        Assert.Contains(folder, command, StringComparison.Ordinal);
        return Repository.Run("sh", ["-c", command.Replace(folder, image + "/", StringComparison.Ordinal)]);
    }

    /// <summary>A new folder with both layers in it, as the image has them.</summary>
    public string Layers()
    {
        string image = Directory.CreateDirectory(Path.Combine(_top.FullName, Guid.NewGuid().ToString("N"))).FullName;
        Assert.Equal(0, Repository.Run("cp", ["--archive", "--link", Native + "/.", Published + "/.", image]).ExitCode);
        return image;
    }

    public void Dispose() => _top.Delete(recursive: true);
}
