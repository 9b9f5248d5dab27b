using TorchSharp;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling;

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
        using var ungraded = no_grad();
        using var scope = NewDisposeScope();
        if (key.EndsWith(".bias", StringComparison.Ordinal)) tensor.zero_();
        else tensor.normal_(0, config.InitializerRange, generator); // nn.init.normal_ takes a generator too, and ignores it.
    }
}
