using ServerlessBert.Modeling.Optimizers;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling.Training;

/// <summary>
/// An exponential moving average of what an optimizer trains (Polyak and Juditsky 1992, doi:10.1137/0330046; as an
/// exponential average in Tarvainen and Valpola 2017, arXiv:1703.01780): single steps of small batches scatter about a
/// place that the average is nearer to.
/// </summary>
internal sealed class EmaWeights : IDisposable
{
    private readonly FlatOptimizer optimizer;
    private readonly double decay;
    private readonly Tensor[] averages;

    /// <summary>Starts from the weights as they are.</summary>
    /// <param name="optimizer">Whose parameters are averaged.</param>
    /// <param name="decay">What the average keeps of itself a step, above 0 and below 1.</param>
    public EmaWeights(FlatOptimizer optimizer, double decay)
    {
        (this.optimizer, this.decay) = (optimizer, decay);
        using var noGrad = no_grad();
        averages = [.. optimizer.Groups.Select(group => group.Values.clone().DetachFromDisposeScope())]; // [elements] each
        State = Enumerable.Range(0, averages.Length).ToDictionary(group => $"{group}.average", group => averages[group]);
    }

    /// <summary>The averages by group: live tensors, to be saved or written into.</summary>
    public IReadOnlyDictionary<string, Tensor> State { get; }

    /// <summary>
    /// What the average keeps at an update, counted from 1: less at first, so that the weights it started from are soon
    /// forgotten.
    /// </summary>
    public static double KeptAt(int update, double decay) => Math.Min(decay, (1.0 + update) / (10 + update));

    /// <summary>Takes the weights of the optimizer's latest step in.</summary>
    public void Update()
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        double taken = 1 - KeptAt(optimizer.Steps, decay);
        for (int group = 0; group < averages.Length; group++) averages[group].lerp_(optimizer.Groups[group].Values, taken); // [elements]
    }

    /// <summary>
    /// Gives the model the averages in the place of its weights, which are held here until <see cref="TakeBack"/>: one exchange
    /// each, no third copy.
    /// </summary>
    public void Lend() => Exchange();

    /// <summary>Gives the model its own weights back.</summary>
    public void TakeBack() => Exchange();

    /// <summary>Frees the averages.</summary>
    public void Dispose()
    {
        foreach (Tensor average in averages) average.Dispose();
    }

    private void Exchange()
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        for (int group = 0; group < averages.Length; group++)
        {
            Tensor values = optimizer.Groups[group].Values;
            Tensor kept = values.clone();                                        // [elements]
            values.copy_(averages[group]);
            averages[group].copy_(kept);
        }
    }
}
