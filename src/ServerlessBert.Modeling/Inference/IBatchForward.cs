namespace ServerlessBert.Modeling.Inference;

/// <summary>
/// From the token ids of any number of reviews to their logits: cuts them into forward passes and shares these out over the
/// cores.
/// </summary>
internal interface IBatchForward : IDisposable
{
    /// <summary>Whether packed layers compute, rather than the eager module tree.</summary>
    bool IsFast { get; }

    /// <summary>Logits, [rows][labels]; from any thread.</summary>
    /// <param name="rows">Token ids of each review, special tokens included.</param>
    /// <param name="options">Token budget and threads.</param>
    /// <param name="cancellationToken">Looked at between passes.</param>
    float[][] Logits(IReadOnlyList<int[]> rows, InferenceOptions options, CancellationToken cancellationToken);
}
