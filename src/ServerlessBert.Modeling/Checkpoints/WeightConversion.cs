using System.Text.Json;
using System.Text.Json.Nodes;
using ServerlessBert.Modeling.Bert;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling.Checkpoints;

/// <summary>Stores a checkpoint folder's weights in another number type: bfloat16 halves the download of every host that starts.</summary>
public static class WeightConversion
{
    private const string ConfigFile = "config.json";
    private static readonly JsonSerializerOptions Readable =
        new() { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>
    /// Rewrites the folder's weights, all in one model.safetensors under the names that they have; every other file stays.
    /// </summary>
    /// <param name="folder">A checkpoint folder.</param>
    /// <param name="dtype">float32 or bfloat16; the latter rounds to 8 bits of mantissa, as computing in it does.</param>
    /// <exception cref="CheckpointException">The folder is not a sound checkpoint.</exception>
    public static void Store(string folder, ScalarType dtype)
    {
        BertConfig.Load(folder);
        var tensors = new Dictionary<string, Tensor>();
        try
        {
            using (CheckpointFolder files = CheckpointFolder.Open(folder))
            {
                foreach (var (name, stored) in files.Tensors) tensors.Add(name, stored.Reader.Read(stored.Entry).DetachFromDisposeScope());
            }
            SafetensorsWriter.Write(Path.Combine(folder, CheckpointFolder.WeightsFile), tensors, dtype);
        }
        finally
        {
            foreach (Tensor tensor in tensors.Values) tensor.Dispose();
        }
        RemoveShards(folder);
        NameDtype(Path.Combine(folder, ConfigFile), dtype);
    }

    private static void RemoveShards(string folder)
    {
        File.Delete(Path.Combine(folder, CheckpointFolder.IndexFile));
        foreach (string shard in Directory.EnumerateFiles(folder, "model-*-of-*.safetensors")) File.Delete(shard);
    }

    private static void NameDtype(string path, ScalarType dtype)
    {
        JsonObject fields = JsonNode.Parse(File.ReadAllText(path))!.AsObject();
        // Newer checkpoints call it dtype; where both stand they must agree.
        if (fields.ContainsKey("dtype")) fields["dtype"] = dtype.ToString().ToLowerInvariant();
        fields["torch_dtype"] = dtype.ToString().ToLowerInvariant();
        File.WriteAllText(path, fields.ToJsonString(Readable) + "\n");
    }
}
