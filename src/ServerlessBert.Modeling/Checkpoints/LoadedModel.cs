using TorchSharp;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling;

/// <summary>A model from a checkpoint folder, without its tokenizer.</summary>
/// <param name="Model">The model in float32, whatever the number type of the files; the caller disposes it.</param>
/// <param name="Notes">One-line remarks: what started fresh, what was dropped.</param>
public sealed record LoadedModel(BertForSequenceClassification Model, IReadOnlyList<string> Notes)
{
    /// <summary>
    /// Loads model.safetensors or its shards: from the file straight into the parameters' memory. Do not call it inside
    /// a dispose scope.
    /// </summary>
    /// <exception cref="CheckpointException">The folder is not a sound checkpoint; every fault is named.</exception>
    public static LoadedModel Load(string folder, CheckpointOptions? options = null)
    {
        options ??= new CheckpointOptions();
        var config = BertConfig.Load(folder);
        using var files = CheckpointFolder.Open(folder);
        var plan = CheckpointPlan.Of(folder, files, config, options);
        var model = BertForSequenceClassification.WithoutWeights(plan.Config);
        try
        {
            var parameters = model.named_parameters().ToDictionary(each => each.name, each => each.parameter);
            CheckpointLoading.Fill(plan, options, (key, _) => parameters[key]);
            return new LoadedModel(model, plan.Notes);
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }
}
