using TorchSharp.Modules;

namespace ServerlessBert.Modeling;

/// <summary>The masked language model's head in checkpoint folders, which a classifier's loading leaves out.</summary>
public static class MaskedLMHead
{
    private const string Prefix = "cls.predictions.";

    /// <summary>Reads the head of <paramref name="folder"/> into a model, or leaves the model's own where the folder has none.</summary>
    /// <returns>Whether there was one.</returns>
    /// <exception cref="CheckpointException">The head is there in part, or in another shape.</exception>
    public static bool TryLoad(BertForMaskedLM model, string folder)
    {
        using var files = CheckpointFolder.Open(folder);
        Dictionary<string, StoredTensor> stored = files.Tensors
            .Select(each => (Name: CheckpointNames.ToBert(each.Key, model.Config.IsDistilled), each.Value))
            .Where(each => each.Name.StartsWith(Prefix, StringComparison.Ordinal))
            .ToDictionary(each => each.Name, each => each.Value);
        if (stored.Count == 0) return false;

        foreach (var (name, parameter) in model.PretrainedParameters().Where(each => each.Name.StartsWith(Prefix, StringComparison.Ordinal)))
            Read(stored, name, parameter, folder);
        return true;
    }

    private static void Read(Dictionary<string, StoredTensor> stored, string name, Parameter parameter, string folder)
    {
        if (!stored.TryGetValue(name, out StoredTensor? tensor))
            throw new CheckpointException($"{folder} holds a part of a masked language model's head, but not {name}.");
        if (!tensor.Entry.Shape.SequenceEqual(parameter.shape))
            throw new CheckpointException($"{folder}: {name} is [{string.Join(", ", tensor.Entry.Shape)}], but config.json says [{string.Join(", ", parameter.shape)}].");
        tensor.Reader.ReadInto(tensor.Entry, parameter);
    }
}
