using System.Reflection;
using System.Reflection.Emit;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;
using NuGet.Configuration;
using NuGet.Packaging;
using NuGet.Versioning;
using ServerlessBert.Modeling.Onnx;
using ServerlessBert.Testing;

namespace ServerlessBert.Cli.Tests.HuggingFace;

/// <summary>A small model as ONNX, in every form that can be imported.</summary>
internal sealed class ImportSources : IDisposable
{
    public const string PackageId = "Team.SmallBert", PackageVersion = "1.2.3";

    private readonly TemporaryFolder scratch = new();

    public ImportSources()
    {
        Checkpoint = SmallModels.Save(scratch.Path);
        Folder = Path.GetDirectoryName(OnnxExport.Write(Checkpoint, scratch.At("onnx-model")))!;
    }

    /// <summary>The checkpoint folder that all are made from.</summary>
    public string Checkpoint { get; }

    /// <summary>A folder with model.onnx, config.json and the tokenizer's files.</summary>
    public string Folder { get; }

    public string Model => Path.Combine(Folder, OnnxExport.FileName);

    public string At(string name) => scratch.At(name);

    /// <summary>An assembly whose resources are the folder's files; nothing of it could be run.</summary>
    public string Assembly(params string[] files)
    {
        var builder = new PersistedAssemblyBuilder(new AssemblyName("Models"), typeof(object).Assembly);
        builder.DefineDynamicModule("Models");
        MetadataBuilder metadata = builder.GenerateMetadata(out BlobBuilder code, out _);
        var resources = new BlobBuilder();
        foreach (string file in files.Length > 0 ? files : [OnnxExport.FileName, "vocab.txt", "tokenizer_config.json", "config.json"])
        {
            metadata.AddManifestResource(ManifestResourceAttributes.Public, metadata.GetOrAddString($"Team.Resources.{file}"), default,
                (uint)resources.Count);
            byte[] bytes = File.ReadAllBytes(Path.Combine(Folder, file));
            resources.WriteInt32(bytes.Length);
            resources.WriteBytes(bytes);
            resources.Align(8);
        }
        var image = new BlobBuilder();
        new ManagedPEBuilder(PEHeaderBuilder.CreateLibraryHeader(), new MetadataRootBuilder(metadata), code, managedResources: resources)
            .Serialize(image);
        string path = At("Models.dll");
        using FileStream stream = File.Create(path);
        image.WriteContentTo(stream);
        return path;
    }

    /// <summary>A package of files, at the paths that they have in it.</summary>
    public string Package(params (string Source, string Target)[] files)
    {
        var builder = new PackageBuilder { Id = PackageId, Version = new NuGetVersion(PackageVersion), Description = "A model." };
        builder.Authors.Add("team");
        foreach (var (source, target) in files) builder.Files.Add(new PhysicalPackageFile { SourcePath = source, TargetPath = target });
        Directory.CreateDirectory(At("feed"));
        string path = Path.Combine(At("feed"), $"{PackageId}.{PackageVersion}.nupkg");
        using FileStream stream = File.Create(path);
        builder.Save(stream);
        return path;
    }

    /// <summary>A package with the model and its files under <c>content</c>.</summary>
    public string PackageOfModel() =>
        Package([.. Directory.EnumerateFiles(Folder).Select(file => (file, $"content/{Path.GetFileName(file)}"))]);

    /// <summary>NuGet's settings, whose one source is the folder of the packages made here, and whose own folder is empty.</summary>
    public ISettings PackageSettings()
    {
        Directory.CreateDirectory(At("feed"));
        File.WriteAllText(At("nuget.config"), $"""
            <configuration>
              <config><add key="globalPackagesFolder" value="{At("packages")}" /></config>
              <packageSources><clear /><add key="team" value="{At("feed")}" /></packageSources>
            </configuration>
            """);
        return Settings.LoadSpecificSettings(scratch.Path, "nuget.config");
    }

    public void Dispose() => scratch.Dispose();
}
