using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace ServerlessBert.Cli.Output;

/// <summary>How sbert prints JSON: camelCase, readable text, nothing for null.</summary>
internal static class Json
{
    private static readonly JsonSerializerOptions Line = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    private static readonly JsonSerializerOptions Indented = new(Line) { WriteIndented = true };

    /// <summary>On one line.</summary>
    public static string LineOf<T>(T value) => JsonSerializer.Serialize(value, Line);

    /// <summary>For people to read and machines to parse.</summary>
    public static string Of<T>(T value) => JsonSerializer.Serialize(value, Indented);
}
