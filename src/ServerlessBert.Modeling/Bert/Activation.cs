using TorchSharp;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling;

/// <summary>The activations that config.json may name; Hugging Face's ACT2FN.</summary>
internal static class Activation
{
    /// <summary>The known names, for messages.</summary>
    public const string Names = "gelu, gelu_new and relu";

    /// <summary>Whether <see cref="Of"/> knows the name.</summary>
    public static bool IsKnown(string name) => name is "gelu" or "gelu_new" or "relu";

    /// <summary>
    /// gelu: x·Φ(x) by erf; gelu_new: its tanh approximation (Hendrycks and Gimpel 2016, arXiv:1606.08415, section 2).
    /// </summary>
    /// <exception cref="ArgumentException">An unknown name.</exception>
    public static Func<Tensor, Tensor> Of(string name) => name switch
    {
        "gelu" => x => nn.functional.gelu(x),
        "gelu_new" => x => nn.functional.gelu(x, TorchSharp.Modules.GELU.Approximate.tanh),
        "relu" => x => x.relu(),
        "tanh" => x => x.tanh(),
        _ => throw new ArgumentException($"The activation '{name}' is not known; only {Names} are.", nameof(name)),
    };
}
