using ServerlessBert.Modeling.Bert;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling.Checkpoints;

/// <summary>Saving a model as Hugging Face loads it.</summary>
public static class ModelSaving
{
    /// <summary>
    /// Writes model.safetensors and config.json, creating the folder; weights are stored as <paramref name="dtype"/>,
    /// null as they are. Overwrites what is there.
    /// </summary>
    public static void SaveTo(this BertForSequenceClassification model, string folder, ScalarType? dtype = null)
    {
        Directory.CreateDirectory(folder);
        var weights = model.named_parameters().ToList();
        Func<string, string> name = model.Config.IsDistilled ? WeightNames.ToDistilBert : key => key;
        SafetensorsWriter.Write(
            Path.Combine(folder, CheckpointFolder.WeightsFile),
            weights.Select(each => KeyValuePair.Create<string, Tensor>(name(each.name), each.parameter)), dtype);
        string stored = (dtype ?? weights[0].parameter.dtype).ToString().ToLowerInvariant();
        (model.Config with { TorchDtype = stored }).Save(folder);
    }

    /// <summary>
    /// Writes model.safetensors and config.json of a masked language model, creating the folder, as Hugging Face's
    /// BertForMaskedLM has them: without a pooler, and without the decoder's weights, which are the word embeddings.
    /// </summary>
    public static void SaveTo(this BertForMaskedLM model, string folder)
    {
        Directory.CreateDirectory(folder);
        Func<string, string> name = model.Config.IsDistilled ? WeightNames.ToDistilBert : key => key;
        SafetensorsWriter.Write(
            Path.Combine(folder, CheckpointFolder.WeightsFile),
            model.PretrainedParameters().Select(each => KeyValuePair.Create<string, Tensor>(name(each.Name), each.Parameter)));
        (model.Config with { TorchDtype = "float32" }).Save(folder, "ForMaskedLM");
    }
}

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
            .Select(each => (Name: WeightNames.ToBert(each.Key, model.Config.IsDistilled), each.Value))
            .Where(each => each.Name.StartsWith(Prefix, StringComparison.Ordinal))
            .ToDictionary(each => each.Name, each => each.Value);
        if (stored.Count == 0) return false;

        foreach (var (name, parameter) in model.PretrainedParameters()
            .Where(each => each.Name.StartsWith(Prefix, StringComparison.Ordinal)))
            Read(stored, name, parameter, folder);
        return true;
    }

    private static void Read(Dictionary<string, StoredTensor> stored, string name, Parameter parameter, string folder)
    {
        if (!stored.TryGetValue(name, out StoredTensor? tensor))
            throw new CheckpointException($"{folder} holds a part of a masked language model's head, but not {name}.");
        if (!tensor.Entry.Shape.SequenceEqual(parameter.shape))
            throw new CheckpointException(
                $"{folder}: {name} is [{string.Join(", $", tensor.Entry.Shape)}], but config.json says "
                    + $"[{string.Join(", ", parameter.shape)}].");
        tensor.Reader.ReadInto(tensor.Entry, parameter);
    }
}
