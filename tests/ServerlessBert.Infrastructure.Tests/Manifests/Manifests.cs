using System.Text.Json;

namespace ServerlessBert.Infrastructure.Tests;

/// <summary>
/// What kustomize makes of an overlay of infra/kubernetes, as far as the overlays use it: the documents of the base and
/// of the overlay, and patches that are laid over them by kind and name.
/// </summary>
internal sealed class Manifests
{
    private static readonly string[] Folder = ["infra", "kubernetes"];

    private Manifests(IReadOnlyList<JsonElement> documents, IReadOnlyList<JsonElement> patches) =>
        (Documents, Patches) = (documents, patches);

    /// <summary>The overlay for the storage account of infra/.</summary>
    public static Manifests Azure { get; } = Read("overlays/azure");

    /// <summary>The overlay for Azurite.</summary>
    public static Manifests Azurite { get; } = Read("overlays/azurite");

    /// <summary>Documents as they stand.</summary>
    public IReadOnlyList<JsonElement> Documents { get; }

    /// <summary>Patches as they stand.</summary>
    public IReadOnlyList<JsonElement> Patches { get; }

    public JsonElement One(string kind, string name) => Assert.Single(Documents, document => Is(document, kind, name));

    /// <summary>The pod of the functions' Deployment, or of the trainer's ScaledJob or CronJob.</summary>
    public JsonElement Pod(string app) => Pods.Single(pod => pod.At("metadata.labels.app").GetString() == app);

    /// <summary>Every pod that is described.</summary>
    public IEnumerable<JsonElement> Pods => Documents.Select(document => document.GetProperty("kind").GetString() switch
    {
        "Deployment" => document.At("spec.template"),
        "ScaledJob" => document.At("spec.jobTargetRef.template"),
        "CronJob" => document.At("spec.jobTemplate.spec.template"),
        _ => default,
    }).Where(pod => pod.ValueKind == JsonValueKind.Object);

    /// <summary>A container's environment, with what the overlay's patch adds.</summary>
    public Dictionary<string, string> Environment(string app) =>
        Pods.Concat(Patches.Where(patch => Is(patch, "Deployment", app)).Select(patch => patch.At("spec.template")))
        .Select(pod => pod.At("spec.containers")[0]).Where(container => container.GetProperty("name").GetString() == app)
        .SelectMany(container => container.GetProperty("env").EnumerateArray())
        .ToDictionary(setting => setting.GetProperty("name").GetString()!, setting => setting.GetProperty("value").GetString()!);

    public static bool Is(JsonElement document, string kind, string name) =>
        document.GetProperty("kind").GetString() == kind && document.At("metadata.name").GetString() == name;

    private static Manifests Read(string folder)
    {
        var documents = new List<JsonElement>();
        var patches = new List<JsonElement>();
        Add(folder, documents, patches);
        return new Manifests(documents, patches);
    }

    private static void Add(string folder, List<JsonElement> documents, List<JsonElement> patches)
    {
        var kustomization = Assert.Single(Yaml.Read([.. Folder, folder, "kustomization.yaml"]));
        foreach (string resource in kustomization.GetProperty("resources").Strings())
        {
            if (resource.EndsWith(".yaml", StringComparison.Ordinal)) documents.AddRange(Yaml.Read([.. Folder, folder, resource]));
            else Add(Path.GetRelativePath(Repository.PathOf(Folder), Repository.PathOf([.. Folder, folder, resource])), documents, patches);
        }
        if (!kustomization.TryGetProperty("patches", out var entries)) return;
        foreach (var patch in entries.EnumerateArray()) patches.AddRange(
            Yaml.Read([.. Folder, folder, patch.GetProperty("path").GetString()!]));
    }
}
