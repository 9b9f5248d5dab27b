using TorchSharp;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling.Optimizers;

/// <summary>
/// An optimizer over a few flat buffers instead of hundreds of parameters; see <see cref="FlatGroup"/>. Make it after the
/// model has been moved to its device. Every update is element by element, so its result does not depend on the number of
/// threads.
/// </summary>
public abstract class FlatOptimizer : IDisposable
{
    /// <summary>Moves the parameters of all groups into flat buffers.</summary>
    /// <exception cref="ArgumentException">There is no group, or one whose parameters are not float32 on one device.</exception>
    private protected FlatOptimizer(IReadOnlyList<ParameterGroup> groups)
    {
        if (groups.Count == 0) throw new ArgumentException("An optimizer needs parameters: nothing is left to train.", nameof(groups));
        Groups = [.. groups.Select(group => new FlatGroup(group))];
    }

    /// <summary>The groups in their buffers.</summary>
    public IReadOnlyList<FlatGroup> Groups { get; }

    /// <summary>Updates done.</summary>
    public int Steps { get; private set; }

    /// <summary>Sets all gradients to 0; backward adds to them from there.</summary>
    public void ZeroGradients()
    {
        using var scope = NewDisposeScope();
        foreach (FlatGroup group in Groups) group.Gradients.zero_();
    }

    /// <summary>The Euclidean norm of all gradients together; larger ones than <paramref name="maxNorm"/> are scaled down to it.</summary>
    /// <param name="maxNorm">The largest norm; 0 leaves the gradients alone.</param>
    /// <returns>The norm before scaling.</returns>
    public double ClipGradients(double maxNorm)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        double norm = stack(Groups.Select(group => group.GradientNorm())).norm().item<float>();
        // As torch.nn.utils.clip_grad_norm_, whose 1e-6 keeps the quotient finite.
        using Scalar scale = maxNorm / (norm + 1e-6);
        if (maxNorm > 0 && norm > maxNorm)
            foreach (FlatGroup group in Groups) group.Gradients.mul_(scale);
        return norm;
    }

    /// <summary>Updates all parameters by their gradients.</summary>
    /// <param name="learningRate">The step's learning rate, which each group multiplies with its factor.</param>
    /// <exception cref="InvalidOperationException">The model was moved or cast after this was made.</exception>
    public void Step(double learningRate)
    {
        using var noGrad = no_grad();
        Steps++;
        for (int index = 0; index < Groups.Count; index++)
        {
            using var scope = NewDisposeScope();
            Groups[index].CheckViews();
            Update(index, learningRate * Groups[index].Group.LearningRateFactor);
        }
    }

    /// <summary>What the optimizer remembers between steps, by name: live tensors, to be saved or written into.</summary>
    public abstract IReadOnlyDictionary<string, Tensor> State { get; }

    /// <summary>Goes on from a saved <see cref="State"/>, whose tensors were written into this one's.</summary>
    internal void Resume(int steps) => Steps = steps;

    /// <summary>Updates one group, under no_grad and in a dispose scope.</summary>
    private protected abstract void Update(int group, double learningRate);

    /// <summary>Frees the buffers of gradients and of state; the parameters keep their values.</summary>
    public virtual void Dispose()
    {
        foreach (FlatGroup group in Groups) group.Dispose();
        foreach (Tensor tensor in State.Values) tensor.Dispose();
        GC.SuppressFinalize(this);
    }
}
