using System.Globalization;
using TorchSharp.Modules;

namespace ServerlessBert.Modeling.Optimizers;

/// <summary>Parameters that an optimizer updates alike.</summary>
/// <param name="Parameters">Float32 parameters of one device, at least one; their order decides their places in the group's
/// buffers.</param>
/// <param name="WeightDecay">Decay of the group's weights; 0 for biases and LayerNorms.</param>
/// <param name="LearningRateFactor">What the step's learning rate is multiplied with: below 1 for layers near the input under
/// layer-wise decay.</param>
public sealed record ParameterGroup(IReadOnlyList<Parameter> Parameters, double WeightDecay = 0, double LearningRateFactor = 1)
{
    /// <summary>Whether BERT decays a parameter of this name: weights, but neither biases nor LayerNorms.</summary>
    public static bool IsDecayed(string name) =>
        !name.EndsWith("bias", StringComparison.Ordinal) && !name.Contains("LayerNorm", StringComparison.Ordinal);

    /// <summary>
    /// The trained parameters of a model (those that require a gradient) as groups of one decay and one learning rate each.
    /// </summary>
    /// <param name="named">A module's <c>named_parameters()</c>.</param>
    /// <param name="weightDecay">Decay of what <see cref="IsDecayed"/>.</param>
    /// <param name="learningRateFactor">A name's factor; null takes 1 for all.</param>
    public static IReadOnlyList<ParameterGroup> Of(
        IEnumerable<(string Name, Parameter Parameter)> named, double weightDecay, Func<string, double>? learningRateFactor = null) =>
    [
        .. named
            .Where(each => each.Parameter.requires_grad)
            .GroupBy(each => (Decay: IsDecayed(each.Name) ? weightDecay : 0, Factor: learningRateFactor?.Invoke(each.Name) ?? 1))
            .Select(group => new ParameterGroup([.. group.Select(each => each.Parameter)], group.Key.Decay, group.Key.Factor)),
    ];
}

/// <summary>
/// Where a parameter stands in the model, from the embeddings (0) over the layers (1 to n) to pooler and classifier (n + 1).
/// </summary>
internal static class LayerwiseDecay
{
    private const string LayerPrefix = "bert.encoder.layer.";

    /// <summary>A parameter's learning rate as a share of the classifier's: decay to the power of its distance from the top.</summary>
    /// <param name="name">Its key in <c>state_dict</c>.</param>
    /// <param name="layers">The model's layers.</param>
    /// <param name="decay">Share from one layer to the next lower one.</param>
    public static double FactorOf(string name, int layers, double decay) => Math.Pow(decay, layers + 1 - DepthOf(name, layers));

    /// <summary>The depth of a parameter by its key.</summary>
    public static int DepthOf(string name, int layers)
    {
        if (name.StartsWith("bert.embeddings.", StringComparison.Ordinal)) return 0;
        if (!name.StartsWith(LayerPrefix, StringComparison.Ordinal)) return layers + 1;
        ReadOnlySpan<char> rest = name.AsSpan(LayerPrefix.Length);
        return int.Parse(rest[..rest.IndexOf('.')], CultureInfo.InvariantCulture) + 1;
    }
}
