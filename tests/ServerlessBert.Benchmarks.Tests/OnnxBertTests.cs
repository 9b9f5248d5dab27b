using ServerlessBert.Benchmarks.Inference;
using ServerlessBert.Benchmarks.Onnx;
using ServerlessBert.Modeling.Checkpoints;
using ServerlessBert.Modeling.Inference;
using ServerlessBert.Modeling.Tokenization;
using ServerlessBert.Modeling.Onnx;
using ServerlessBert.Testing;
using TorchSharp;

namespace ServerlessBert.Benchmarks.Tests;

/// <summary>What ServerlessBert is compared with computes the same model.</summary>
public sealed class OnnxBertTests : IDisposable
{
    private readonly DirectoryInfo _parent = Directory.CreateTempSubdirectory();
    private readonly string _folder;
    private readonly CheckpointWeights _weights;

    public OnnxBertTests()
    {
        _folder = SmallModels.Save(_parent.FullName);
        _weights = CheckpointWeights.Load(_folder, torch.float32);
    }

    public void Dispose()
    {
        _weights.Dispose();
        _parent.Delete(recursive: true);
    }

    [Theory]
    [InlineData(false, 1e-5)]
    [InlineData(true, 0.03)]
    public void ONNX_Runtimes_graph_gives_our_probabilities_padding_or_not(bool quantize, double tolerance)
    {
        using var onnx = new OnnxClassifier(OnnxBert.Write(_weights, Path.Combine(_parent.FullName, "onnx"), quantize), threads: 1);
        Compare(onnx.Logits, tolerance);
    }

    [Theory]
    [InlineData(false, "it was optimized for ONNX Runtime (com.microsoft's EmbedLayerNormalization")]
    [InlineData(true, "it is quantized (")]
    public void What_ONNX_Runtimes_own_tools_make_is_refused_as_a_source_of_weights(bool quantize, string expected)
    {
        string path = OnnxBert.Write(_weights, Path.Combine(_parent.FullName, "onnx"), quantize);
        Assert.Contains(expected, Assert.Throws<OnnxException>(() => OnnxImport.Read(path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_plain_packed_forward_gives_our_probabilities() => Compare(new PlainPackedForward(_weights).Logits, 1e-5);

    private void Compare(Func<IReadOnlyList<int[]>, float[][]> logits, double tolerance)
    {
        using var classifier = ReviewClassifier.Load(_folder, new InferenceOptions { Dtype = InferenceDtype.Float32 });
        IReadOnlyList<EncodedText> texts = classifier.Tokenize([.. SmallModels.Reviews(12).Select(review => review.Text)]);
        float[][] others = logits([.. texts.Select(text => text.InputIds)]);
        foreach (var (ours, theirs) in classifier.Classify(texts).Zip(others))
            Assert.All(ours.Probabilities.Zip(CalibrationTemperature.None.Probabilities(theirs)),
                pair => Assert.Equal(pair.First, pair.Second, tolerance));
    }
}
