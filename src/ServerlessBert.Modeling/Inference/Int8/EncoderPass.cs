using ServerlessBert.Modeling.Inference.Int8.Kernels;

namespace ServerlessBert.Modeling.Inference.Int8;

/// <summary>What all passes share.</summary>
internal static class EncoderPass
{
    /// <summary>
    /// Rows of a block: enough that each weight that comes from the third cache is used often, few enough that the block's
    /// values inside of the feed-forward layer stay in the second.
    /// </summary>
    public const int BlockRows = 48;
}

/// <summary>A model's weights as the passes read them.</summary>
internal sealed record EncoderWeights(
    EncoderShape Shape, EmbeddingTable Embeddings, NormKernel EmbeddingNorm, EncoderLayerWeights[] Layers, ClassificationHead Head);

/// <summary>The reviews of one pass, and where their logits go.</summary>
internal sealed class PassReviews(IReadOnlyList<int[]> rows, int[] indices, float[][] logits)
{
    private readonly int[] starts = StartsOf(rows, indices);

    /// <summary>How many reviews.</summary>
    public int Count => indices.Length;

    /// <summary>How many tokens.</summary>
    public int Tokens => starts[^1];

    /// <summary>A review's first row.</summary>
    public int Start(int review) => starts[review];

    /// <summary>Behind its last.</summary>
    public int End(int review) => starts[review + 1];

    /// <summary>A review's token ids.</summary>
    public int[] Ids(int review) => rows[indices[review]];

    /// <summary>Takes a review's logits.</summary>
    public void Set(int review, float[] values) => logits[indices[review]] = values;

    private static int[] StartsOf(IReadOnlyList<int[]> rows, int[] indices)
    {
        var starts = new int[indices.Length + 1];
        for (int i = 0; i < indices.Length; i++) starts[i + 1] = starts[i] + rows[indices[i]].Length;
        return starts;
    }
}

/// <summary>
/// One worker's part in forward passes. Its rows are its own from the embeddings to the last layer; other rows' keys and
/// values are read only between two steps of the team.
/// </summary>
/// <typeparam name="T">How queries, keys and values are stored.</typeparam>
/// <typeparam name="TElement">Their dtype.</typeparam>
/// <param name="weights">The model.</param>
/// <param name="maxTokens">Most tokens of a review.</param>
internal sealed unsafe class EncoderPass<T, TElement>(EncoderWeights weights, int maxTokens) : IDisposable where T : unmanaged
    where TElement : struct, IAttentionElement<T>
{
    private readonly EncoderShape shape = weights.Shape;
    private readonly EncoderBlock<T, TElement> block = new(weights.Shape);
    private readonly BlockedAttention<T, TElement> attention = new(weights.Shape.Heads, weights.Shape.Head, maxTokens);

    /// <summary>Computes this member's part.</summary>
    /// <param name="reviews">The pass.</param>
    /// <param name="buffers">Its activations, the team's.</param>
    /// <param name="member">Whose part.</param>
    public void Run(PassReviews reviews, PassBuffers<T> buffers, TeamMember member)
    {
        var (from, to) = member.Share(reviews.Tokens, QuantizedLinear.RowMultiple);
        int stride = 3 * shape.HeadsStride;
        Embed(reviews, buffers, from, to);
        foreach (EncoderLayerWeights layer in weights.Layers.AsSpan(..^1))
        {
            block.Project(layer.QueryKeyValue, 0, 3, buffers.Inputs, from, to, buffers.Attention, stride);
            member.Team.Sync();
            for (int review = 0; review < reviews.Count; review++)
                Attend(reviews, review, buffers, Math.Max(from, reviews.Start(review)), Math.Min(to, reviews.End(review)));
            member.Team.Sync();
            block.Rest(layer, buffers.Attention, stride, buffers.Hidden, buffers.Inputs, from, to);
        }
        EncoderLayerWeights last = weights.Layers[^1];
        block.Project(last.QueryKeyValue, 1, 2, buffers.Inputs, from, to, buffers.Attention + shape.HeadsStride, stride);
        member.Team.Sync();
        var (first, end) = member.Share(reviews.Count, 1);
        Finish(last, reviews, buffers, first, end);
        Brgemm.Release();
    }

    private void Embed(PassReviews reviews, PassBuffers<T> buffers, int from, int to)
    {
        for (int review = 0; review < reviews.Count; review++)
        {
            int start = reviews.Start(review);
            int[] ids = reviews.Ids(review);
            for (int row = Math.Max(from, start); row < Math.Min(to, reviews.End(review)); row++)
            {
                float* x = buffers.Hidden + (long)row * shape.Stride;
                weights.Embeddings.Write(ids[row - start], row - start, x);
                weights.EmbeddingNorm.Apply(x, buffers.Inputs, row);
            }
        }
    }

    private void Attend(PassReviews reviews, int review, PassBuffers<T> buffers, int from, int to)
    {
        if (from >= to) return;
        int stride = 3 * shape.HeadsStride, start = reviews.Start(review);
        T* keys = buffers.Attention + (long)start * stride + shape.HeadsStride;
        attention.Attend(
            buffers.Attention + (long)from * stride, stride, to - from, keys, keys + shape.HeadsStride, stride,
            reviews.End(review) - start);
    }

    // The last layer for the reviews' first tokens: nothing else of it is looked at.
    private void Finish(EncoderLayerWeights layer, PassReviews reviews, PassBuffers<T> buffers, int first, int end)
    {
        if (first >= end) return;
        int stride = 3 * shape.HeadsStride;
        for (int review = first; review < end; review++)
        {
            int row = reviews.Start(review);
            buffers.FirstInputs.Copy(review, buffers.Inputs, row);
            new ReadOnlySpan<float>(buffers.Hidden + (long)row * shape.Stride, shape.Stride)
                .CopyTo(new Span<float>(buffers.FirstHidden + (long)review * shape.Stride, shape.Stride));
        }
        block.Project(layer.QueryKeyValue, 0, 1, buffers.FirstInputs, first, end, buffers.FirstQueries, shape.HeadsStride);
        for (int review = first; review < end; review++)
        {
            int start = reviews.Start(review);
            T* keys = buffers.Attention + (long)start * stride + shape.HeadsStride;
            attention.Attend(
                buffers.FirstQueries + (long)review * shape.HeadsStride, shape.HeadsStride, 1, keys, keys + shape.HeadsStride, stride,
                reviews.End(review) - start);
        }
        block.Rest(layer, buffers.FirstQueries, shape.HeadsStride, buffers.FirstHidden, buffers.FirstInputs, first, end);
        for (int review = first; review < end; review++) reviews.Set(
            review, weights.Head.Logits(buffers.FirstHidden + (long)review * shape.Stride));
    }

    public void Dispose()
    {
        block.Dispose();
        attention.Dispose();
    }
}
