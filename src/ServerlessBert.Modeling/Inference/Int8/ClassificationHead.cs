using System.Runtime.Intrinsics;
using ServerlessBert.Modeling.Bert;
using ServerlessBert.Modeling.Checkpoints;
using ServerlessBert.Modeling.Inference.Int8.Kernels;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling.Inference.Int8;

/// <summary>Pooler and classifier in float32: one row a review, so that they cost nothing beside the layers.</summary>
internal sealed unsafe class ClassificationHead : IDisposable
{
    private readonly int stride, hidden;
    private readonly bool isRelu;
    private readonly NativeBuffer<float> pooler, poolerBias, classifier, classifierBias; // [outputs, stride], [outputs]

    /// <summary>Reads the head. Use it in a dispose scope.</summary>
    public ClassificationHead(IWeightSource weights, BertConfig config, EncoderShape shape)
    {
        (stride, hidden, isRelu, Labels) = (shape.Stride, shape.Hidden, config.PoolerAct == "relu", config.NumLabels);
        pooler = Fill(weights.Read("bert.pooler.dense.weight"));
        poolerBias = Fill(weights.Read("bert.pooler.dense.bias").unsqueeze(0));
        classifier = Fill(weights.Read("classifier.weight"));
        classifierBias = Fill(weights.Read("classifier.bias").unsqueeze(0));
    }

    /// <summary>How many labels.</summary>
    public int Labels { get; }

    /// <summary>Logits of a review by the hidden state of its first token, [stride].</summary>
    public float[] Logits(float* first)
    {
        using var pooled = new NativeBuffer<float>(stride);
        for (int i = 0; i < hidden; i++)
        {
            float value = Dot(first, pooler.Pointer + (long)i * stride) + poolerBias.Pointer[i];
            pooled.Pointer[i] = isRelu ? Math.Max(value, 0) : MathF.Tanh(value);
        }
        var logits = new float[Labels];
        for (int label = 0; label < logits.Length; label++)
            logits[label] = Dot(pooled.Pointer, classifier.Pointer + (long)label * stride) + classifierBias.Pointer[label];
        return logits;
    }

    private float Dot(float* left, float* right)
    {
        Vector512<float> sum = Vector512<float>.Zero;
        for (int i = 0; i < stride; i += Lanes.Count) sum =
            Vector512.FusedMultiplyAdd(Vector512.Load(left + i), Vector512.Load(right + i), sum);
        return Vector512.Sum(sum);
    }

    // [rows, width] → [rows, at least stride]
    private NativeBuffer<float> Fill(Tensor tensor)
    {
        ReadOnlySpan<float> values = EncoderLayerWeights.Floats(tensor);
        int rows = (int)tensor.shape[0], width = (int)tensor.shape[1], filled = Math.Max(stride, width);
        var buffer = new NativeBuffer<float>((long)rows * filled);
        for (int row = 0; row < rows; row++) values.Slice(row * width, width).CopyTo(buffer.Span[(row * filled)..]);
        return buffer;
    }

    public void Dispose()
    {
        pooler.Dispose();
        poolerBias.Dispose();
        classifier.Dispose();
        classifierBias.Dispose();
    }
}
