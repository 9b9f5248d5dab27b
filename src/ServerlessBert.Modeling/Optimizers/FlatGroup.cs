using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling.Optimizers;

/// <summary>
/// A group's parameters as views of one buffer, and their gradients as views of another, into which backward adds. What is
/// done to a buffer is done to all of its parameters, so that an update costs the same few operations for two layers or
/// for twenty-four. Modules and <c>state_dict</c> see the parameters as before.
/// </summary>
public sealed class FlatGroup : IDisposable
{
    // Elements, 64 bytes: each parameter starts on a cache line, as libtorch allocates tensors.
    private const long Alignment = 16;

    // The norm's first sums are over so many elements, and the buffers end on a multiple of it.
    private const long Row = 1024;

    private readonly Parameter[] parameters;

    /// <summary>Moves the parameters into the buffers; their values stay, their gradients become 0.</summary>
    /// <exception cref="ArgumentException">There is no parameter, or they are not float32 on one device.</exception>
    internal FlatGroup(ParameterGroup group)
    {
        Group = group;
        parameters = [.. group.Parameters];
        if (parameters.Length == 0) throw new ArgumentException("A parameter group needs at least one parameter.", nameof(group));
        Device device = parameters[0].device;
        if (parameters.Any(
            parameter => parameter.dtype != float32 || parameter.device_type != device.type
            || parameter.device_index != parameters[0].device_index))
            throw new ArgumentException($"A parameter group takes float32 parameters on one device ({device}).", nameof(group));

        long[] starts = [.. Starts(parameters, out long end)];
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        long size = (end + Row - 1) / Row * Row;
        Values = zeros(size, float32, device);                                   // [elements]
        Gradients = zeros(size, float32, device);                                // [elements]
        for (int i = 0; i < parameters.Length; i++)
        {
            Parameter parameter = parameters[i];
            long[] shape = parameter.shape;
            Tensor view = Values.narrow(0, starts[i], parameter.numel()).view(shape);
            view.copy_(parameter);
            parameter.set_(view);
            parameter.grad = Gradients.narrow(0, starts[i], parameter.numel()).view(shape);
        }
        scope.Detach(Values, Gradients);
    }

    /// <summary>What it was made of.</summary>
    public ParameterGroup Group { get; }

    /// <summary>The parameters' values, [elements], with zeros in the gaps between parameters.</summary>
    public Tensor Values { get; }

    /// <summary>Their gradients, [elements].</summary>
    public Tensor Gradients { get; }

    /// <summary>
    /// The gradients' Euclidean norm, as a scalar tensor. Sums of 1,024 elements are summed: accurate for a hundred million
    /// elements, and the same however many threads compute it.
    /// </summary>
    internal Tensor GradientNorm() => Gradients.view(-1, Row).norm(1).norm();

    /// <summary>Throws where the parameters are no longer those views.</summary>
    /// <exception cref="InvalidOperationException">The model was moved or cast after the optimizer was made.</exception>
    internal void CheckViews()
    {
        if (parameters.Any(parameter => parameter.IsInvalid))
            throw new InvalidOperationException(
                "The model was moved to another device or number type after its optimizer was made; make the optimizer after that.");
    }

    /// <summary>Gives the gradients' memory back; the parameters stay as they are.</summary>
    public void Dispose()
    {
        foreach (Parameter parameter in parameters.Where(parameter => !parameter.IsInvalid)) parameter.grad = null;
        Values.Dispose();
        Gradients.Dispose();
    }

    private static List<long> Starts(IReadOnlyList<Parameter> parameters, out long end)
    {
        var starts = new List<long>(parameters.Count);
        end = 0;
        foreach (Parameter parameter in parameters)
        {
            starts.Add(end);
            end += (parameter.numel() + Alignment - 1) / Alignment * Alignment;
        }
        return starts;
    }
}
