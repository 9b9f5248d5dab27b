using TorchSharp;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling;

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
        Func<string, string> name = model.Config.IsDistilled ? CheckpointNames.ToDistilBert : key => key;
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
        Func<string, string> name = model.Config.IsDistilled ? CheckpointNames.ToDistilBert : key => key;
        SafetensorsWriter.Write(
            Path.Combine(folder, CheckpointFolder.WeightsFile),
            model.PretrainedParameters().Select(each => KeyValuePair.Create<string, Tensor>(name(each.Name), each.Parameter)));
        (model.Config with { TorchDtype = "float32" }).Save(folder, "ForMaskedLM");
    }
}
