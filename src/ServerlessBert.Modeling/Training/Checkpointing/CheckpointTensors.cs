using ServerlessBert.Modeling.Checkpoints;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling.Training.Checkpointing;

/// <summary>The tensors of a training checkpoint, each file's by name: what is written, and what is read into.</summary>
/// <param name="Model">The weights.</param>
/// <param name="Optimizer">The optimizer's moments.</param>
/// <param name="Average">The moving average of the weights; empty where none is taken.</param>
/// <param name="Best">The weights of the best evaluation so far; empty where none are kept.</param>
internal sealed record CheckpointTensors(
    IReadOnlyDictionary<string, Tensor> Model, IReadOnlyDictionary<string, Tensor> Optimizer,
    IReadOnlyDictionary<string, Tensor> Average, IReadOnlyDictionary<string, Tensor> Best)
{
    private const string BestFile = "best.safetensors";

    private IEnumerable<(string File, IReadOnlyDictionary<string, Tensor> Tensors)> Files =>
        [("model.safetensors", Model), ("optimizer.safetensors", Optimizer), ("average.safetensors", Average), (BestFile, Best)];

    /// <summary>Bytes of all of them.</summary>
    public long Bytes => Files.SelectMany(file => file.Tensors.Values).Sum(tensor => tensor.numel() * tensor.element_size());

    /// <summary>Writes a file each for those that have tensors.</summary>
    public void Write(string folder)
    {
        foreach (var (file, tensors) in Files)
            if (tensors.Count > 0) SafetensorsWriter.Write(Path.Combine(folder, file), tensors);
    }

    /// <summary>Whether a checkpoint has weights of a best evaluation.</summary>
    public static bool HasBest(string folder) => File.Exists(Path.Combine(folder, BestFile));

    /// <summary>Reads the files into these tensors; all headers are checked before the first tensor changes.</summary>
    /// <exception cref="SafetensorsException">A file is broken, or has other tensors; nothing was changed.</exception>
    /// <exception cref="IOException">A file is missing or cannot be opened; nothing was changed.</exception>
    /// <exception cref="TrainingException">Reading failed half-way.</exception>
    public void Read(string folder)
    {
        var open = new List<(SafetensorsReader Reader, IReadOnlyDictionary<string, Tensor> Tensors)>();
        try
        {
            foreach (var (file, tensors) in Files)
                if (tensors.Count > 0) open.Add((Open(Path.Combine(folder, file), tensors), tensors));
            ReadAll(folder, open);
        }
        finally
        {
            open.ForEach(each => each.Reader.Dispose());
        }
    }

    private static void ReadAll(string folder, List<(SafetensorsReader Reader, IReadOnlyDictionary<string, Tensor> Tensors)> open)
    {
        using var noGrad = no_grad();
        try
        {
            foreach (var (reader, tensors) in open)
                foreach (SafetensorsEntry entry in reader.Header.Entries) reader.ReadInto(entry, tensors[entry.Name]);
        }
        catch (Exception exception) when (exception is IOException or SafetensorsException)
        {
            throw new TrainingException(
                $"{folder} cannot be read to its end ({exception.Message.TrimEnd('.')}); delete it, and training goes on from the "
                    + $"one before it.", exception);
        }
    }

    private static SafetensorsReader Open(string path, IReadOnlyDictionary<string, Tensor> tensors)
    {
        var reader = SafetensorsReader.Open(path);
        if (reader.Header.Entries.Count == tensors.Count
            && reader.Header.Entries.All(
            entry => tensors.TryGetValue(entry.Name, out Tensor? tensor) && tensor.shape.SequenceEqual(entry.Shape)))
            return reader;
        reader.Dispose();
        throw new SafetensorsException($"{path} has other tensors than this training");
    }
}
