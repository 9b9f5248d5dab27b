using ServerlessBert.Modeling.Inference.Int8.Kernels;

namespace ServerlessBert.Modeling.Inference.Int8;

/// <summary>The activations of one forward pass: rows are its reviews' tokens, one review after the other.</summary>
/// <typeparam name="T">How queries, keys and values are stored.</typeparam>
internal sealed unsafe class PassBuffers<T> : IDisposable where T : unmanaged
{
    // What a block's products are rounded up to reads beyond the last row.
    private const int Slack = EncoderPass.BlockRows;

    private readonly NativeBuffer<float> hidden, firstHidden;
    private readonly NativeBuffer<T> attention, firstQueries;

    /// <param name="shape">The model's widths.</param>
    /// <param name="tokens">Most tokens.</param>
    /// <param name="reviews">Most reviews.</param>
    public PassBuffers(EncoderShape shape, int tokens, int reviews)
    {
        (Tokens, Reviews) = (tokens, reviews);
        hidden = new NativeBuffer<float>((long)(tokens + Slack) * shape.Stride);
        Inputs = new QuantizedRows(tokens + Slack, shape.Stride);
        attention = new NativeBuffer<T>((long)(tokens + Slack) * 3 * shape.HeadsStride);
        firstHidden = new NativeBuffer<float>((long)(reviews + Slack) * shape.Stride);
        FirstInputs = new QuantizedRows(reviews + Slack, shape.Stride);
        firstQueries = new NativeBuffer<T>((long)(reviews + Slack) * shape.HeadsStride);
    }

    /// <summary>Most tokens.</summary>
    public int Tokens { get; }

    /// <summary>Most reviews.</summary>
    public int Reviews { get; }

    /// <summary>Hidden states, [tokens, Stride].</summary>
    public float* Hidden => hidden.Pointer;

    /// <summary>The bytes of what a layer begins with, [tokens, Stride].</summary>
    public QuantizedRows Inputs { get; }

    /// <summary>Query, key and value; then a context in the query's place: [tokens, 3, HeadsStride].</summary>
    public T* Attention => attention.Pointer;

    /// <summary>Hidden states of the reviews' first tokens in the last layer, [reviews, Stride].</summary>
    public float* FirstHidden => firstHidden.Pointer;

    /// <summary>Their bytes.</summary>
    public QuantizedRows FirstInputs { get; }

    /// <summary>Their queries, then their contexts, [reviews, HeadsStride].</summary>
    public T* FirstQueries => firstQueries.Pointer;

    public void Dispose()
    {
        hidden.Dispose();
        Inputs.Dispose();
        attention.Dispose();
        firstHidden.Dispose();
        FirstInputs.Dispose();
        firstQueries.Dispose();
    }
}
