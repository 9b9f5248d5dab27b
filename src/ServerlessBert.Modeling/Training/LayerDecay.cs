using System.Globalization;

namespace ServerlessBert.Modeling;

/// <summary>Where a parameter stands in the model, from the embeddings (0) over the layers (1 to n) to pooler and classifier (n + 1).</summary>
internal static class LayerDecay
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
