using ServerlessBert.Modeling.Bert;
using TorchSharp;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling.Optimizers;

/// <summary>
/// AdamW (Loshchilov and Hutter 2019, arXiv:1711.05101) as torch.optim.AdamW computes it, over flat buffers: on a GPU a
/// handful of operations a group, on a CPU one pass over memory (<see cref="AdamWKernel"/>), whatever the number of layers.
/// </summary>
public sealed class FlatAdamW : FlatOptimizer
{
    private readonly AdamWSettings settings;
    private readonly Tensor[] firstMoments;
    private readonly Tensor[] secondMoments;

    /// <summary>Moves the parameters into flat buffers.</summary>
    /// <param name="groups">What is trained.</param>
    /// <param name="settings">Decay of the moments, and epsilon.</param>
    public FlatAdamW(IReadOnlyList<ParameterGroup> groups, AdamWSettings settings = default) : base(groups)
    {
        this.settings = settings;
        firstMoments = [.. Groups.Select(group => zeros_like(group.Values).DetachFromDisposeScope())];
        secondMoments = [.. Groups.Select(group => zeros_like(group.Values).DetachFromDisposeScope())];
        State = Enumerable.Range(0, Groups.Count)
            .SelectMany(group => new[] { ($"{group}.first_moment", firstMoments[group]), ($"{group}.second_moment", secondMoments[group]) })
            .ToDictionary(named => named.Item1, named => named.Item2);
    }

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, Tensor> State { get; }

    /// <summary>Whether a CPU's buffers go through tensor operations too, as a GPU's do: for tests of the one against the other.</summary>
    internal bool OnlyTensorOperations { get; init; }

    private protected override void Update(int index, double learningRate)
    {
        FlatGroup group = Groups[index];
        var step = new AdamWKernel.StepFactors(settings, Steps, learningRate, group.Group.WeightDecay);
        if (group.Values.device_type == DeviceType.CPU && !OnlyTensorOperations)
        {
            AdamWKernel.Update(group.Values, group.Gradients, firstMoments[index], secondMoments[index], step);
            return;
        }
        using Scalar beta1 = settings.Beta1, rest1 = 1 - settings.Beta1, beta2 = settings.Beta2, rest2 = 1 - settings.Beta2;
        using Scalar factor = step.DenominatorFactor, epsilon = settings.Epsilon, kept = step.Kept, size = -step.Size;
        firstMoments[index].mul_(beta1).add_(group.Gradients, alpha: rest1);                      // [elements]
        secondMoments[index].mul_(beta2).addcmul_(group.Gradients, group.Gradients, value: rest2); // [elements]
        Tensor denominator = secondMoments[index].sqrt().mul_(factor).add_(epsilon, HeldScalar.One); // [elements]
        group.Values.mul_(kept).addcdiv_(firstMoments[index], denominator, value: size);           // [elements]
    }
}

/// <summary>AdamW's constants; <c>default</c> holds the usual ones.</summary>
public readonly record struct AdamWSettings
{
    private readonly double? beta1, beta2, epsilon;

    /// <summary>Decay of the mean of gradients: 0.9.</summary>
    public double Beta1 { get => beta1 ?? 0.9; init => beta1 = value; }

    /// <summary>Decay of the mean of squared gradients: 0.999.</summary>
    public double Beta2 { get => beta2 ?? 0.999; init => beta2 = value; }

    /// <summary>Added to the denominator: 1e-8.</summary>
    public double Epsilon { get => epsilon ?? 1e-8; init => epsilon = value; }
}
