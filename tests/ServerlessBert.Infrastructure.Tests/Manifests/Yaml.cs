using System.Text.Json;
using YamlDotNet.Serialization;

namespace ServerlessBert.Infrastructure.Tests;

/// <summary>YAML files of the repository, read as JSON.</summary>
internal static class Yaml
{
    /// <summary>A file's documents.</summary>
    public static IReadOnlyList<JsonElement> Read(params string[] parts)
    {
        var documents = new List<JsonElement>();
        var parser = new YamlDotNet.Core.Parser(new StringReader(Repository.Read(parts)));
        var deserializer = new DeserializerBuilder().WithAttemptingUnquotedStringTypeDeserialization().Build();
        var serializer = new SerializerBuilder().JsonCompatible().Build();
        YamlDotNet.Core.ParserExtensions.Consume<YamlDotNet.Core.Events.StreamStart>(parser);
        while (YamlDotNet.Core.ParserExtensions.Accept<YamlDotNet.Core.Events.DocumentStart>(parser, out _))
            documents.Add(JsonDocument.Parse(serializer.Serialize(deserializer.Deserialize(parser)!)).RootElement);
        return documents;
    }
}
