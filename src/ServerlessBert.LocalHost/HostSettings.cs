using Microsoft.Extensions.Configuration;

namespace ServerlessBert.LocalHost;

/// <summary>
/// Settings of every verb: the environment, then local.settings.json's values (of the current folder, then of the
/// repository), then the defaults that local.settings.sample.json shows. <c>A__B</c> is the same setting as <c>A:B</c>.
/// </summary>
public static class HostSettings
{
    private const string LocalFile = "local.settings.json", SampleFile = "local.settings.sample.json",
        HostJsonOverrides = "AzureFunctionsJobHost__";

    /// <summary>Reads them.</summary>
    /// <exception cref="HostStartException">A settings file is no JSON.</exception>
    public static IConfiguration Load() => Load(Directory.GetCurrentDirectory(), RepositoryFolder.Find());

    /// <summary>
    /// Reads host.json: the repository's, else the one beside the program. As with the Functions host, an environment
    /// variable <c>AzureFunctionsJobHost__extensions__queues__batchSize</c> stands before the file's value of that path.
    /// </summary>
    /// <exception cref="HostStartException">It is no JSON.</exception>
    public static IConfiguration LoadHostJson()
    {
        string file = FirstExisting("host.json", RepositoryFolder.Find(), AppContext.BaseDirectory)
            ?? throw new HostStartException($"There is no host.json beside the program ({AppContext.BaseDirectory}); build it again.");
        return new ConfigurationBuilder().AddConfiguration(ReadJson(file)).AddEnvironmentVariables(HostJsonOverrides).Build();
    }

    /// <summary>The settings as environment variables for a process that this one starts.</summary>
    public static IReadOnlyDictionary<string, string> AsEnvironment(IConfiguration configuration) =>
        configuration.AsEnumerable().Where(setting => setting.Value is not null && setting.Key.All(IsNameCharacter))
            .ToDictionary(setting => setting.Key.Replace(":", "__", StringComparison.Ordinal), setting => setting.Value!);

    internal static IConfiguration Load(string currentFolder, string? repository)
    {
        var settings = new ConfigurationBuilder();
        string?[] files =
        [
            FirstExisting(SampleFile, repository, AppContext.BaseDirectory),
            FirstExisting(LocalFile, repository),
            FirstExisting(LocalFile, currentFolder),
        ];
        foreach (string file in files.OfType<string>()) settings.AddInMemoryCollection(Values(file));
        return settings.AddEnvironmentVariables().Build();
    }

    private static IEnumerable<KeyValuePair<string, string?>> Values(string file) =>
        ReadJson(file).GetSection("Values").AsEnumerable(makePathsRelative: true)
            .Where(setting => setting.Value is not null)
            .Select(setting => KeyValuePair.Create(setting.Key.Replace("__", ":", StringComparison.Ordinal), setting.Value))
            .ToArray();

    private static string? FirstExisting(string name, params string?[] folders) =>
        folders.OfType<string>().Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists);

    private static IConfigurationRoot ReadJson(string file)
    {
        try
        {
            return new ConfigurationBuilder().AddJsonFile(file, optional: false, reloadOnChange: false).Build();
        }
        catch (InvalidDataException exception)
        {
            throw new HostStartException($"{file} is no JSON: {exception.InnerException?.Message ?? exception.Message}", exception);
        }
    }

    private static bool IsNameCharacter(char character) => char.IsAsciiLetterOrDigit(character) || character is '_' or ':' or '.' or '-';
}

/// <summary>The repository that the program runs from, where it does: settings, Azurite and its data lie there.</summary>
public static class RepositoryFolder
{
    /// <summary>The nearest folder with ServerlessBert.sln above the program, or above the current folder; null for neither.</summary>
    public static string? Find() => Above(AppContext.BaseDirectory) ?? Above(Directory.GetCurrentDirectory());

    private static string? Above(string start)
    {
        for (var folder = new DirectoryInfo(start); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "ServerlessBert.sln"))) return folder.FullName;
        return null;
    }
}
