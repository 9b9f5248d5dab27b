using System.Buffers.Binary;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace ServerlessBert.Cli.Tests.HuggingFace;

/// <summary>Cuts a safetensors file into two, with an index, as large models are stored.</summary>
internal static class Shards
{
    public const string Index = "model.safetensors.index.json";

    public static Dictionary<string, byte[]> Of(byte[] whole)
    {
        int headerLength = (int)BinaryPrimitives.ReadUInt64LittleEndian(whole);
        JsonObject header = JsonNode.Parse(whole.AsSpan(8, headerLength))!.AsObject();
        header.Remove("__metadata__");
        byte[] data = whole[(8 + headerLength)..];
        var halves = header.Select(
            (entry, number) => (entry.Key, Entry: entry.Value!, Shard: $"model-0000{1 + number % 2}-of-00002.safetensors"))
            .ToLookup(entry => entry.Shard);
        Dictionary<string, byte[]> files =
            halves.ToDictionary(half => half.Key, half => Write(half.Select(entry => (entry.Key, entry.Entry)), data));
        files[Index] = JsonSerializer.SerializeToUtf8Bytes(
            new { weight_map = halves.SelectMany(half => half).ToDictionary(entry => entry.Key, entry => entry.Shard) });
        return files;
    }

    private static byte[] Write(IEnumerable<(string Key, JsonNode Entry)> entries, byte[] data)
    {
        var header = new JsonObject();
        using var bytes = new MemoryStream();
        foreach (var (key, entry) in entries)
        {
            int[] offsets = entry["data_offsets"].Deserialize<int[]>()!;
            long start = bytes.Position;
            bytes.Write(data.AsSpan(offsets[0]..offsets[1]));
            header[key] = new JsonObject
            {
                ["dtype"] = entry["dtype"]!.DeepClone(),
                ["shape"] = entry["shape"]!.DeepClone(),
                ["data_offsets"] = new JsonArray(start, bytes.Position)
            };
        }
        byte[] text = JsonSerializer.SerializeToUtf8Bytes(header), length = new byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)text.Length);
        return [.. length, .. text, .. bytes.ToArray()];
    }
}
