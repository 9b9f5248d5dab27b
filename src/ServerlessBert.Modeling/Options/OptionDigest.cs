using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace ServerlessBert.Modeling.Options;

/// <summary>
/// Options as bytes to be hashed. They stay the same from version to version as long as what is written in JSON does: a training
/// that was interrupted by an update resumes after it.
/// </summary>
internal static class OptionDigest
{
    // In the order of the properties, by the written names with a capital: as the first version had them.
    private static readonly JsonSerializerOptions Json = new()
    {
        TypeInfoResolver = new DefaultJsonTypeInfoResolver { Modifiers = { Capitalize } },
    };

    public static byte[] BytesOf<TOptions>(TOptions options) => JsonSerializer.SerializeToUtf8Bytes(options, Json);

    private static void Capitalize(JsonTypeInfo type)
    {
        foreach (JsonPropertyInfo property in type.Properties) property.Name = char.ToUpperInvariant(property.Name[0]) + property.Name[1..];
    }
}
