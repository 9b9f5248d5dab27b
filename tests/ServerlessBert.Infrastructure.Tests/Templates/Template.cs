using System.Text.Json;

namespace ServerlessBert.Infrastructure.Tests;

/// <summary>A compiled template, with the modules in it.</summary>
internal sealed class Template(JsonElement json)
{
    public JsonElement Json => json;

    /// <summary>A module's template, by its symbol in main.bicep.</summary>
    public Template Module(string symbol) =>
        new(json.GetProperty("resources").GetProperty(symbol).GetProperty("properties").GetProperty("template"));

    /// <summary>What this template deploys, modules' resources included, existing ones not.</summary>
    public IEnumerable<JsonElement> Resources()
    {
        // An object by symbols where the compiler needs language version 2.0, else an array.
        var resources = json.GetProperty("resources");
        foreach (var resource in resources.ValueKind == JsonValueKind.Array ? resources.EnumerateArray().AsEnumerable()
            : resources.EnumerateObject().Select(property => property.Value))
        {
            if (resource.TryGetProperty("existing", out _)) continue;
            yield return resource;
            if (!IsModule(resource)) continue;
            foreach (var inner in new Template(resource.GetProperty("properties").GetProperty("template")).Resources()) yield return inner;
        }
    }

    /// <summary>A resource by its symbol.</summary>
    public JsonElement Symbol(string symbol) => json.GetProperty("resources").GetProperty(symbol);

    public JsonElement[] Resources(string type) => [.. Resources().Where(resource => resource.GetProperty("type").GetString() == type)];

    /// <summary>The one resource of a type.</summary>
    public JsonElement Resource(string type) => Assert.Single(Resources(type));

    public JsonElement Variable(string name) => json.GetProperty("variables").GetProperty(name);

    public JsonElement Parameter(string name) => json.GetProperty("parameters").GetProperty(name);

    /// <summary>All templates: this one and its modules'.</summary>
    public IEnumerable<Template> All() =>
        [this, .. Resources().Where(IsModule).Select(module => new Template(module.GetProperty("properties").GetProperty("template")))];

    private static bool IsModule(JsonElement resource) => resource.GetProperty("type").GetString() == "Microsoft.Resources/deployments";
}

/// <summary>Walks JSON.</summary>
internal static class JsonWalk
{
    /// <summary>A property by its path, such as properties.template.</summary>
    public static JsonElement At(this JsonElement json, string path) =>
        path.Split('.').Aggregate(json, (element, name) => element.GetProperty(name));

    public static string[] Strings(this JsonElement json) => [.. json.EnumerateArray().Select(item => item.GetString()!)];

    /// <summary>Every property below, with the name it has.</summary>
    public static IEnumerable<JsonProperty> Properties(this JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.Object => json.EnumerateObject().SelectMany(property => new[] { property }.Concat(property.Value.Properties())),
        JsonValueKind.Array => json.EnumerateArray().SelectMany(Properties),
        _ => [],
    };

    /// <summary>A container's environment, by name.</summary>
    public static Dictionary<string, string> Environment(this JsonElement resource) => resource
        .At("properties.template.containers").EnumerateArray().Single().GetProperty("env").EnumerateArray()
        .ToDictionary(setting => setting.GetProperty("name").GetString()!, setting => setting.GetProperty("value").GetString()!);
}
