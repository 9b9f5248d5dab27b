using System.Text.Json;

namespace ServerlessBert.Modeling.Checkpoints;

/// <summary>The safetensors files of a checkpoint folder, one or sharded, open and by key.</summary>
internal sealed class CheckpointFolder : IDisposable
{
    public const string WeightsFile = "model.safetensors";
    public const string IndexFile = "model.safetensors.index.json";
    private const string PickleFile = "pytorch_model.bin";

    private readonly List<SafetensorsReader> readers = [];

    private CheckpointFolder() { }

    /// <summary>The tensors under the files' own names.</summary>
    public Dictionary<string, StoredTensor> Tensors { get; } = [];

    /// <summary>Opens a folder and checks every header.</summary>
    /// <exception cref="CheckpointException">No weights, a pickle only, an index that does not fit its shards, or a malformed
    /// file.</exception>
    public static CheckpointFolder Open(string folder)
    {
        var opened = new CheckpointFolder();
        try
        {
            if (File.Exists(Path.Combine(folder, WeightsFile))) opened.Add(Path.Combine(folder, WeightsFile));
            else if (File.Exists(Path.Combine(folder, IndexFile))) opened.AddShards(folder);
            else throw NoWeights(folder);
            return opened;
        }
        catch
        {
            opened.Dispose();
            throw;
        }
    }

    /// <summary>Closes the files.</summary>
    public void Dispose() => readers.ForEach(reader => reader.Dispose());

    private void Add(string path)
    {
        var reader = SafetensorsReader.Open(path);
        readers.Add(reader);
        foreach (var entry in reader.Header.Entries)
            if (!Tensors.TryAdd(entry.Name, new StoredTensor(reader, entry)))
                throw new CheckpointException($"{path}: tensor '{entry.Name}' stands in {Tensors[entry.Name].Reader.Path} too.");
    }

    private void AddShards(string folder)
    {
        string indexPath = Path.Combine(folder, IndexFile);
        var shardOfKey = ReadIndex(indexPath);
        foreach (string shard in shardOfKey.Values.Distinct().Order(StringComparer.Ordinal))
        {
            // A name with a separator, "..", or a drive could point outside of the folder.
            if (shard.IndexOfAny(['/', '\\', ':']) >= 0 || shard is "" or "." or "..")
                throw new CheckpointException($"{indexPath} names the shard '{shard}', which is not a plain file name.");
            if (!File.Exists(Path.Combine(folder, shard)))
                throw new CheckpointException($"{indexPath} names the shard '{shard}', which is not in the folder; download it again.");
            Add(Path.Combine(folder, shard));
        }
        foreach (var (key, shard) in shardOfKey)
            if (!Tensors.TryGetValue(key, out var tensor) || Path.GetFileName(tensor.Reader.Path) != shard)
                throw new CheckpointException($"{indexPath} says that '{key}' is in {shard}, but it is not.");
    }

    private static Dictionary<string, string> ReadIndex(string path)
    {
        try
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(path));
            return json.RootElement.GetProperty("weight_map").Deserialize<Dictionary<string, string>>()!
                .ToDictionary(pair => pair.Key, pair => pair.Value ?? "");
        }
        catch (Exception exception) when (
            exception is JsonException or KeyNotFoundException or InvalidOperationException or ArgumentException)
        {
            throw new CheckpointException(
                $"{path} is not an index of shards (an object 'weight_map' from key to file name): {exception.Message}", exception);
        }
    }

    private static CheckpointException NoWeights(string folder)
    {
        if (!Directory.Exists(folder)) return new($"The checkpoint folder {folder} does not exist.");
        return File.Exists(Path.Combine(folder, PickleFile)) || File.Exists(Path.Combine(folder, PickleFile + ".index.json"))
            ? new($"{folder} has only {PickleFile}, a pickle, which can run code when it is loaded and is not read here. Convert it with: "
                + $"python -c \"from transformers import AutoModelForSequenceClassification as M; "
                    + $"M.from_pretrained('{folder}').save_pretrained('{folder}', safe_serialization=True)\"")
            : new($"{folder} has no {WeightsFile} and no {IndexFile}; is it a checkpoint folder?");
    }
}

/// <summary>Where a tensor's bytes lie.</summary>
/// <param name="Reader">The open file.</param>
/// <param name="Entry">The tensor within it, under the file's own name.</param>
internal sealed record StoredTensor(SafetensorsReader Reader, SafetensorsEntry Entry);
