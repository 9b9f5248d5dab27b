using System.Reflection;

namespace ServerlessBert.Build.Tests;

/// <summary>The repository's own files.</summary>
internal static class Repository
{
    private static string Root { get; } = Path.GetFullPath(typeof(Repository).Assembly
        .GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == "RepositoryRoot").Value!);

    public static string PathOf(params string[] parts) => Path.Combine([Root, .. parts]);

    public static string Read(params string[] parts) => File.ReadAllText(PathOf(parts));

    /// <summary>The C# files under folders of the root, as paths from the root with slashes.</summary>
    public static IEnumerable<string> Sources(params string[] folders) =>
        from folder in folders
        from file in Directory.EnumerateFiles(PathOf(folder), "*.cs", SearchOption.AllDirectories)
        select Path.GetRelativePath(Root, file).Replace('\\', '/') into path
        where !path.Contains("/obj/") && !path.Contains("/bin/")
        orderby path
        select path;
}
