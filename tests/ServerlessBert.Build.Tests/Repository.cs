using System.Reflection;
using System.Xml.Linq;

namespace ServerlessBert.Build.Tests;

/// <summary>The repository's own files.</summary>
internal static class Repository
{
    private static string Root { get; } = Path.GetFullPath(Metadata("RepositoryRoot"));

    /// <summary>The folder that NuGet keeps packages in.</summary>
    public static string PackagesFolder { get; } = Metadata("NuGetPackages");

    public static string PathOf(params string[] parts) => Path.Combine([Root, .. parts]);

    /// <summary>A package's version in Directory.Packages.props.</summary>
    public static string PackageVersion(string name) => XDocument.Load(PathOf("Directory.Packages.props")).Descendants("PackageVersion")
        .Single(package => (string?)package.Attribute("Include") == name).Attribute("Version")!.Value;

    private static string Metadata(string key) => typeof(Repository).Assembly
        .GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == key).Value!;

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
