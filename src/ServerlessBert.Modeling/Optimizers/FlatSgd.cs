using ServerlessBert.Modeling.Bert;
using TorchSharp;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling.Optimizers;

/// <summary>
/// Stochastic gradient descent with momentum, as torch.optim.SGD computes it: decay is added to the gradient, and the first
/// step's momentum is the gradient itself.
/// </summary>
public sealed class FlatSgd : FlatOptimizer
{
    private readonly double momentum;
    private readonly Tensor[] velocities;

    /// <summary>Moves the parameters into flat buffers.</summary>
    /// <param name="groups">What is trained.</param>
    /// <param name="momentum">From 0 (none) to below 1.</param>
    public FlatSgd(IReadOnlyList<ParameterGroup> groups, double momentum = 0) : base(groups)
    {
        this.momentum = momentum;
        velocities = momentum == 0 ? [] : [.. Groups.Select(group => zeros_like(group.Values).DetachFromDisposeScope())];
        State = Enumerable.Range(0, velocities.Length).ToDictionary(group => $"{group}.velocity", group => velocities[group]);
    }

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, Tensor> State { get; }

    private protected override void Update(int index, double learningRate)
    {
        FlatGroup group = Groups[index];
        Tensor direction = group.Gradients;                                      // [elements]
        using Scalar decay = group.Group.WeightDecay, kept = momentum, size = -learningRate;
        if (group.Group.WeightDecay > 0) direction = direction.add(group.Values, alpha: decay);
        if (momentum > 0) direction = velocities[index].mul_(kept).add_(direction, HeldScalar.One);
        group.Values.add_(direction, alpha: size);
    }
}
