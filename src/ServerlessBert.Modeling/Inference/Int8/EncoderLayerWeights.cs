using System.Runtime.InteropServices;
using ServerlessBert.Modeling.Bert;
using ServerlessBert.Modeling.Inference.Int8.Kernels;
using ServerlessBert.Modeling.Inference.Packed;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling.Inference.Int8;

/// <summary>A norm's weight and bias, [hidden], which the linear that reads its rows takes over (see <see cref="NormKernel"/>).</summary>
/// <param name="Weight">[hidden].</param>
/// <param name="Bias">[hidden].</param>
/// <param name="Columns">The columns that the linear takes as floats.</param>
/// <param name="States">What the norm gives for <see cref="CalibrationStates"/>, [tokens, hidden].</param>
internal sealed record NormWeights(Tensor Weight, Tensor Bias, int[] Columns, Tensor States)
{
    /// <summary>Reads a norm in float32.</summary>
    /// <param name="read">The checkpoint.</param>
    /// <param name="name">The norm.</param>
    /// <param name="before">The calibration's states before it.</param>
    /// <param name="config">The model's shape.</param>
    public static NormWeights Read(Func<string, Tensor> read, string name, Tensor before, BertConfig config)
    {
        Tensor weight = read($"{name}.weight").to(float32), bias = read($"{name}.bias").to(float32),
            normalized = CalibrationStates.Normalize(before, config);
        return new NormWeights(weight, bias, WideColumns.ByGreatestValue(normalized), normalized * weight + bias);
    }
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
        (Tensor Weight, Tensor Bias)[] parts =
            [.. new[] { "query", "key", "value" }.Select(
            part => (layer.Joined("weight", part).to(float32), layer.Joined("bias", part).to(float32)))];
        QueryKeyValue = Linear(
            cat([.. parts.Select(part => FillHeads(part.Weight, config))], 0),
            cat([.. parts.Select(part => FillHeads(part.Bias.unsqueeze(1), config).squeeze(1))], 0), input);
        Tensor[] states = [.. parts.Select(part => nn.functional.linear(input.States, part.Weight, part.Bias))]; // [tokens, hidden] each
        Tensor context = CalibrationStates.Attend(states[0], states[1], states[2], config);

        (Tensor weight, Tensor bias) = Read(layer, "attention.output.dense");
        Output = Linear(FillHeads(weight.t(), config).t(), bias);
        NormWeights attended =
            NormWeights.Read(
            name => layer[name], "attention.output.LayerNorm", nn.functional.linear(context, weight, bias) + input.States, config);

        (weight, bias) = Read(layer, "intermediate.dense");
        Up = Linear(weight, bias, attended);
        Tensor inner = CalibrationStates.Activate(nn.functional.linear(attended.States, weight, bias), config); // [tokens, intermediate]

        (weight, bias) = Read(layer, "output.dense");
        Down = new QuantizedLinear(Floats(weight), Floats(bias), (int)weight.shape[1], WideColumns.ByGreatestWeight(weight));
        OutputNormWeights =
            NormWeights.Read(name => layer[name], "output.LayerNorm", nn.functional.linear(inner, weight, bias) + attended.States, config);
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

    private static (Tensor Weight, Tensor Bias) Read(LayerWeights layer, string name) =>
        (layer[$"{name}.weight"].to(float32), layer[$"{name}.bias"].to(float32));

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
        Tensor filled = nn.functional.pad(rows.reshape(shape.Heads, config.HeadSize, n), [0, 0, 0, shape.Head - config.HeadSize]).reshape(
            -1, n);
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
