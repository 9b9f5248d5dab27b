using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using ServerlessBert.Modeling.Inference.Int8.Kernels;

namespace ServerlessBert.Modeling.Inference.Int8;

/// <summary>
/// A worker's part of an encoder layer, a block of rows at a time, so that all that lies between two products stays in the
/// core's own cache. The only values that leave it are hidden states, their bytes, and queries, keys and values.
/// </summary>
/// <typeparam name="T">How queries, keys and values are stored.</typeparam>
/// <typeparam name="TElement">Their dtype.</typeparam>
internal sealed unsafe class EncoderBlock<T, TElement> : IDisposable where T : unmanaged where TElement : struct, IAttentionElement<T>
{
    private const int BlockRows = EncoderPass.BlockRows;

    private readonly EncoderShape shape;
    private readonly QuantizedRows contexts, attended, inner;
    private readonly NativeBuffer<float> context, innerValues; // [HeadsStride], [BlockRows, InnerStride]
    private readonly NativeBuffer<int> tile;

    /// <param name="shape">The model's widths.</param>
    public EncoderBlock(EncoderShape shape)
    {
        this.shape = shape;
        contexts = new QuantizedRows(BlockRows, shape.HeadsStride);
        attended = new QuantizedRows(BlockRows, shape.Stride);
        inner = new QuantizedRows(BlockRows, shape.InnerStride);
        context = new NativeBuffer<float>(shape.HeadsStride);
        innerValues = new NativeBuffer<float>((long)BlockRows * shape.InnerStride);
        tile = new NativeBuffer<int>(BlockRows * QuantizedLinear.PanelWidth);
    }

    /// <summary>Query, key and value, or some of them.</summary>
    /// <param name="linear">All three.</param>
    /// <param name="firstPart">0 for query, 1 for key.</param>
    /// <param name="parts">How many of them.</param>
    /// <param name="inputs">The layer's input.</param>
    /// <param name="from">The first row.</param>
    /// <param name="to">Behind the last.</param>
    /// <param name="target">Where the first row's part goes.</param>
    /// <param name="stride">From a row to its next.</param>
    public void Project(QuantizedLinear linear, int firstPart, int parts, QuantizedRows inputs, int from, int to, T* target, int stride)
    {
        int panels = shape.HeadsStride / QuantizedLinear.PanelWidth;
        for (int row = from; row < to; row += BlockRows)
            linear.Multiply(
                inputs, row, Math.Min(BlockRows, to - row), firstPart * panels, parts * panels, tile.Pointer,
                new ElementSink(target + (long)row * stride, stride));
    }

    /// <summary>What follows attention: output projection, norm, feed-forward layer, norm.</summary>
    /// <param name="layer">The weights.</param>
    /// <param name="contexts">The first row's context.</param>
    /// <param name="contextStride">From a row to its next.</param>
    /// <param name="hidden">The layer's input, [rows, Stride], and then its output.</param>
    /// <param name="outputs">The output's bytes.</param>
    /// <param name="from">The first row.</param>
    /// <param name="to">Behind the last.</param>
    public void Rest(EncoderLayerWeights layer, T* contexts, int contextStride, float* hidden, QuantizedRows outputs, int from, int to)
    {
        for (int row = from; row < to; row += BlockRows)
        {
            int rows = Math.Min(BlockRows, to - row);
            Output(layer, contexts + (long)row * contextStride, contextStride, hidden + (long)row * shape.Stride, rows);
            switch (shape.HiddenAct)
            {
                case "gelu": Up<GeluActivation>(layer.Up, layer.Down.Columns, rows); break;
                case "gelu_new": Up<GeluTanhActivation>(layer.Up, layer.Down.Columns, rows); break;
                case "relu": Up<ReluActivation>(layer.Up, layer.Down.Columns, rows); break;
                default: throw new InvalidOperationException($"'{shape.HiddenAct}' is not an activation of a BERT feed-forward layer.");
            }
            Down(layer, hidden + (long)row * shape.Stride, outputs, row, rows);
        }
    }

    private void Output(EncoderLayerWeights layer, T* first, int stride, float* hidden, int rows)
    {
        for (int row = 0; row < rows; row++)
        {
            T* source = first + (long)row * stride;
            for (int i = 0; i < shape.HeadsStride; i += Lanes.Count) TElement.Load(source + i).Store(context.Pointer + i);
            contexts.Quantize(row, context.Pointer, layer.Output.Columns);
        }
        layer.Output.Multiply(contexts, 0, rows, 0, layer.Output.Panels, tile.Pointer, new ResidualSink(hidden, shape.Stride));
        for (int row = 0; row < rows; row++) layer.AttentionNorm.Apply(hidden + (long)row * shape.Stride, attended, row);
    }

    private void Up<TActivation>(QuantizedLinear up, int[] downColumns, int rows) where TActivation : struct, IActivation
    {
        up.Multiply(attended, 0, rows, 0, up.Panels, tile.Pointer, new ActivationSink<TActivation>(innerValues.Pointer, shape.InnerStride));
        for (int row = 0; row < rows; row++) inner.Quantize(row, innerValues.Pointer + (long)row * shape.InnerStride, downColumns);
    }

    private void Down(EncoderLayerWeights layer, float* hidden, QuantizedRows outputs, int outputRow, int rows)
    {
        layer.Down.Multiply(inner, 0, rows, 0, layer.Down.Panels, tile.Pointer, new ResidualSink(hidden, shape.Stride));
        for (int row = 0; row < rows; row++) layer.OutputNorm.Apply(hidden + (long)row * shape.Stride, outputs, outputRow + row);
    }

    public void Dispose()
    {
        contexts.Dispose();
        attended.Dispose();
        inner.Dispose();
        context.Dispose();
        innerValues.Dispose();
        tile.Dispose();
    }

    private readonly struct ElementSink(T* target, int stride) : IProductSink
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Take(int row, int column, Vector512<float> values) => TElement.Store(values, target + (long)row * stride + column);
    }

    private readonly struct ActivationSink<TActivation>(float* target, int stride) : IProductSink where TActivation : struct, IActivation
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Take(int row, int column, Vector512<float> values) =>
            TActivation.Apply(values).Store(target + (long)row * stride + column);
    }

    private readonly struct ResidualSink(float* hidden, int stride) : IProductSink
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Take(int row, int column, Vector512<float> values)
        {
            float* place = hidden + (long)row * stride + column;
            (Vector512.Load(place) + values).Store(place);
        }
    }
}
