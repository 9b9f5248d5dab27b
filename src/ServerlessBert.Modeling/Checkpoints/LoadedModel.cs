using ServerlessBert.Modeling.Bert;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling.Checkpoints;

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

/// <summary>Fills tensors as a plan says: from the files, or fresh.</summary>
internal static class CheckpointLoading
{
    /// <summary>Fills the plan's every key; <paramref name="destination"/> gives the tensor for a key and its shape.</summary>
    public static void Fill(CheckpointPlan plan, CheckpointOptions options, Func<string, long[], Tensor> destination)
    {
        foreach (var (key, stored) in plan.Stored)
            stored.Reader.ReadInto(stored.Entry, destination(key, stored.Entry.Shape));
        using var generator = new Generator();
        generator.manual_seed(options.Seed);
        foreach (var (key, shape) in plan.Fresh.OrderBy(pair => pair.Key, StringComparer.Ordinal))
            Initialize(destination(key, shape), key, plan.Config, generator);
    }

    private static void Initialize(Tensor tensor, string key, BertConfig config, Generator generator)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        if (key.EndsWith(".bias", StringComparison.Ordinal)) tensor.zero_();
        else tensor.normal_(0, config.InitializerRange, generator); // nn.init.normal_ takes a generator too, and ignores it.
    }
}
