using System.Text.Json;
using ServerlessBert.Modeling.Checkpoints;
using ServerlessBert.Modeling.Tests.Bert;

namespace ServerlessBert.Modeling.Tests.Checkpoints;

[Collection(GlobalRandomState.Name)]
public sealed class ShardedCheckpointTests : IDisposable
{
    private const string First = "model-00001-of-00002.safetensors", Second = "model-00002-of-00002.safetensors";
    private readonly CheckpointVariants variants = new();

    public void Dispose() => variants.Dispose();

    [Fact]
    public void Shards_load_as_one()
    {
        WriteShards();
        using var model = variants.Load().Model;
        variants.RequireSameLogits(model);
    }

    [Theory]
    [InlineData("../evil.safetensors")]
    [InlineData("/etc/passwd")]
    [InlineData("..\\evil.safetensors")]
    [InlineData("C:evil.safetensors")]
    [InlineData("..")]
    [InlineData("")]
    public void A_shard_outside_of_the_folder_is_refused(string shard)
    {
        WriteShards(map => map["classifier.bias"] = shard);
        Assert.Contains($"names the shard '{shard}', which is not a plain file name", variants.Refusal());
    }

    [Fact]
    public void A_missing_shard_is_named()
    {
        WriteShards();
        File.Delete(variants.File(Second));
        Assert.Contains($"names the shard '{Second}', which is not in the folder", variants.Refusal());
    }

    [Fact]
    public void An_index_that_puts_a_tensor_in_the_wrong_shard_is_refused()
    {
        WriteShards(map => map["classifier.bias"] = First == map["classifier.bias"] ? Second : First);
        Assert.Contains("says that 'classifier.bias' is in", variants.Refusal());
    }

    [Fact]
    public void A_tensor_in_two_shards_is_refused()
    {
        WriteShards();
        SafetensorsWriter.Write(variants.File(First), variants.Weights);
        Assert.Contains("stands in", variants.Refusal());
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"weight_map":[]}""")]
    [InlineData("""{"weight_map":{"a":1}}""")]
    [InlineData("""{"weight_map":null}""")]
    public void A_malformed_index_is_refused(string json)
    {
        File.WriteAllText(variants.File("model.safetensors.index.json"), json);
        Assert.Contains("is not an index of shards", variants.Refusal());
    }

    private void WriteShards(Action<Dictionary<string, string>>? change = null)
    {
        var halves = variants.Weights.OrderBy(each => each.Key, StringComparer.Ordinal).Chunk(variants.Weights.Count / 2 + 1).ToList();
        SafetensorsWriter.Write(variants.File(First), halves[0]);
        SafetensorsWriter.Write(variants.File(Second), halves[1]);
        var map = halves[0].ToDictionary(each => each.Key, _ => First);
        foreach (var (key, _) in halves[1]) map[key] = Second;
        change?.Invoke(map);
        File.WriteAllText(
            variants.File("model.safetensors.index.json"),
            JsonSerializer.Serialize(new { metadata = new { total_size = 1 }, weight_map = map }));
    }
}
