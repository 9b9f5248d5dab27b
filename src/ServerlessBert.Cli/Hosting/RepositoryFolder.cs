namespace ServerlessBert.Cli.Hosting;

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
