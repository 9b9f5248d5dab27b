using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling.Inference.Int8;

/// <summary>A norm's weight and bias, [hidden], which the linear that reads its rows takes over (see <see cref="NormKernel"/>).</summary>
/// <param name="Weight">[hidden].</param>
/// <param name="Bias">[hidden].</param>
/// <param name="Columns">The columns that the linear takes as floats.</param>
internal sealed record NormWeights(Tensor Weight, Tensor Bias, int[] Columns)
{
    /// <summary>Reads a norm in float32.</summary>
    public static NormWeights Read(Func<string, Tensor> read, string name, int[]? columns = null) =>
        new(read($"{name}.weight").to(float32), read($"{name}.bias").to(float32), columns ?? []);
}

/// <summary>An encoder layer's weights in eight bits.</summary>
internal sealed class EncoderLayerWeights : IDisposable
{
    private readonly EncoderShape shape;

    /// <summary>Packs a layer. Use it in a dispose scope.</summary>
    /// <param name="layer">The layer's tensors, the query's scaled for powers of two.</param>
    /// <param name="config">The model's shape.</param>
    /// <param name="shape">The same for the kernels.</param>
    /// <param name="input">The norm before this layer.</param>
    public EncoderLayerWeights(LayerWeights layer, BertConfig config, EncoderShape shape, NormWeights input)
    {
        this.shape = shape;
        Tensor[] parts = [.. new[] { "query", "key", "value" }.Select(part => FillHeads(layer.Joined("weight", part).to(float32), config))];
        Tensor[] biases = [.. new[] { "query", "key", "value" }.Select(part => FillHeads(layer.Joined("bias", part).to(float32).unsqueeze(1), config).squeeze(1))];
        QueryKeyValue = Linear(cat(parts, 0), cat(biases, 0), input);
        Output = Linear(FillHeads(layer["attention.output.dense.weight"].to(float32).t(), config).t(), layer["attention.output.dense.bias"].to(float32));
        NormWeights attended = NormWeights.Read(name => layer[name], "attention.output.LayerNorm");
        Up = Linear(layer["intermediate.dense.weight"].to(float32), layer["intermediate.dense.bias"].to(float32), attended);
        Tensor down = layer["output.dense.weight"].to(float32);
        Down = new QuantizedLinear(Floats(down), Floats(layer["output.dense.bias"]), (int)down.shape[1], WideColumns.ByGreatestWeight(down));
        OutputNormWeights = NormWeights.Read(name => layer[name], "output.LayerNorm", WideColumns.ByNorm(down));
        AttentionNorm = Norm(attended, config);
        OutputNorm = Norm(OutputNormWeights, config);
    }

    /// <summary>Query, key and value, a row of heads each.</summary>
    public QuantizedLinear QueryKeyValue { get; }

    /// <summary>attention.output.dense.</summary>
    public QuantizedLinear Output { get; }

    /// <summary>attention.output.LayerNorm.</summary>
    public NormKernel AttentionNorm { get; }

    /// <summary>intermediate.dense.</summary>
    public QuantizedLinear Up { get; }

    /// <summary>output.dense.</summary>
    public QuantizedLinear Down { get; }

    /// <summary>output.LayerNorm.</summary>
    public NormKernel OutputNorm { get; }

    /// <summary>The same for the next layer's weights, while this one's scope lasts.</summary>
    public NormWeights OutputNormWeights { get; }

    /// <summary>A norm for rows of hidden states.</summary>
    public static NormKernel Norm(NormWeights norm, BertConfig config) =>
        new(Floats(norm.Weight), Floats(norm.Bias), new EncoderShape(config).Stride, config.LayerNormEps, norm.Columns);

    /// <summary>A tensor's values.</summary>
    public static ReadOnlySpan<float> Floats(Tensor tensor) => MemoryMarshal.Cast<byte, float>(tensor.to(float32).contiguous().bytes);

    // W (weight × z + bias) + b = (W weight) z + (W bias + b)
    private static QuantizedLinear Linear(Tensor weight, Tensor bias, NormWeights? before = null)
    {
        if (before is not null) (weight, bias) = (weight * before.Weight, weight.matmul(before.Bias) + bias);
        return new QuantizedLinear(Floats(weight), Floats(bias), (int)weight.shape[1], before?.Columns);
    }

    // [heads × head, n] → [HeadsStride, n]
    private Tensor FillHeads(Tensor rows, BertConfig config)
    {
        long n = rows.shape[1];
        Tensor filled = nn.functional.pad(rows.reshape(shape.Heads, config.HeadSize, n), [0, 0, 0, shape.Head - config.HeadSize]).reshape(-1, n);
        return nn.functional.pad(filled, [0, 0, 0, shape.HeadsStride - filled.shape[0]]);
    }

    public void Dispose()
    {
        QueryKeyValue.Dispose();
        Output.Dispose();
        AttentionNorm.Dispose();
        Up.Dispose();
        Down.Dispose();
        OutputNorm.Dispose();
    }
}
