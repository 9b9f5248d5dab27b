using TorchSharp;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling;

/// <summary>The module tree in eval mode on padded batches: works everywhere, and is what <see cref="PackedForward"/> is tested against.</summary>
/// <param name="model">Taken over and disposed.</param>
/// <param name="paddingId">The id of [PAD].</param>
internal sealed class ModuleForward(BertForSequenceClassification model, int paddingId) : IForward
{
    /// <summary>Puts a model into evaluation mode and a number type, and takes it over.</summary>
    public static ModuleForward Of(BertForSequenceClassification model, BertTokenizer tokenizer, InferenceDtype dtype)
    {
        model.to(dtype == InferenceDtype.BFloat16 ? bfloat16 : float32);
        model.eval();
        return new ModuleForward(model, tokenizer.PaddingId);
    }

    public IEnumerable<int[]> Passes(IReadOnlyList<int> lengths, int tokenBudget) => TokenBudgetBatches.Group(lengths, tokenBudget);

    public float[][] Logits(IReadOnlyList<int[]> rows) => ForwardPass.Logits(model, rows, paddingId, CPU);

    public void Dispose() => model.Dispose();
}
