using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace ServerlessBert.Pipeline.Storage;

/// <summary>How the pipeline writes messages and documents: camelCase, nulls left out, states by name.</summary>
/// <remarks>Not source-generated: generated readers give an absent init-only property null or 0, not its initializer's default.</remarks>
public static class PipelineJson
{
    /// <summary>The options, for reading and writing.</summary>
    public static JsonSerializerOptions Options { get; } = MadeReadOnly(new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
        RespectNullableAnnotations = true,
        TypeInfoResolver = new DefaultJsonTypeInfoResolver(),
    });

    /// <summary>A document's bytes: the same for the same document.</summary>
    internal static byte[] ToBytes<T>(T document) => JsonSerializer.SerializeToUtf8Bytes(document, Of<T>());

    internal static JsonTypeInfo<T> Of<T>() => (JsonTypeInfo<T>)Options.GetTypeInfo(typeof(T));

    private static JsonSerializerOptions MadeReadOnly(JsonSerializerOptions options)
    {
        options.MakeReadOnly();
        return options;
    }
}
