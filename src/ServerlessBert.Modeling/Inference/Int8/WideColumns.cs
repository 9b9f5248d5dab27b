using static TorchSharp.torch;

namespace ServerlessBert.Modeling.Inference.Int8;

/// <summary>
/// Which few inputs of a linear are multiplied as floats. Trained encoders have some dimensions that are far larger than
/// all others (Kovaleva et al. 2021, arXiv:2105.06990), and a row's step is as wide as its widest value; without them the
/// others' steps are finer, and the rounding of their weights does not count, as in LLM.int8() (Dettmers et al. 2022,
/// arXiv:2208.07339).
/// </summary>
internal static class WideColumns
{
    /// <summary>Most of them: a twentieth of the product's work.</summary>
    public const int MaxCount = 16;

    private const int LeastInputsOfOne = 8;

    /// <summary>The inputs that have the greatest weight, of a matrix [outputs, inputs].</summary>
    public static int[] ByGreatestWeight(Tensor weight) => Greatest(weight.abs().amax([0]));

    /// <summary>The columns that have the greatest value, of rows [tokens, columns].</summary>
    public static int[] ByGreatestValue(Tensor rows) => Greatest(rows.abs().amax([0]));

    private static int[] Greatest(Tensor sizes)
    {
        int count = (int)Math.Min(MaxCount, sizes.shape[0] / LeastInputsOfOne);
        return [.. sizes.topk(count).indexes.data<long>().ToArray().Select(index => (int)index).Order()];
    }
}
