using TorchSharp.Modules;

namespace ServerlessBert.Modeling;

/// <summary>Parameters that an optimizer updates alike.</summary>
/// <param name="Parameters">Float32 parameters of one device, at least one; their order decides their places in the group's buffers.</param>
/// <param name="WeightDecay">Decay of the group's weights; 0 for biases and LayerNorms.</param>
/// <param name="LearningRateFactor">What the step's learning rate is multiplied with: below 1 for layers near the input under layer-wise decay.</param>
public sealed record ParameterGroup(IReadOnlyList<Parameter> Parameters, double WeightDecay = 0, double LearningRateFactor = 1)
{
    /// <summary>Whether BERT decays a parameter of this name: weights, but neither biases nor LayerNorms.</summary>
    public static bool IsDecayed(string name) => !name.EndsWith("bias", StringComparison.Ordinal) && !name.Contains("LayerNorm", StringComparison.Ordinal);

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
