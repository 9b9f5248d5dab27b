using System.Text.Json;

namespace ServerlessBert.Infrastructure.Tests;

/// <summary>The documents of infra/kubernetes.</summary>
internal static class Manifests
{
    public static IReadOnlyList<JsonElement> All { get; } =
        [.. Directory.GetFiles(Repository.PathOf("infra", "kubernetes"), "*.yaml").Order().SelectMany(file => Yaml.Read("infra", "kubernetes", Path.GetFileName(file)))];

    public static JsonElement One(string kind, string name) =>
        Assert.Single(All, document => document.GetProperty("kind").GetString() == kind && document.At("metadata.name").GetString() == name);

    /// <summary>The pod of an app: functions or trainer.</summary>
    public static JsonElement Pod(string app) =>
        app == "functions" ? One("Deployment", app).At("spec.template") : One("ScaledJob", app).At("spec.jobTargetRef.template");

    public static Dictionary<string, string> Environment(string app) => Pod(app).At("spec.containers")[0].GetProperty("env").EnumerateArray()
        .ToDictionary(setting => setting.GetProperty("name").GetString()!, setting => setting.GetProperty("value").GetString()!);
}
