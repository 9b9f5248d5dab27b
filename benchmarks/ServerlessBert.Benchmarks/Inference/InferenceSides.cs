using ServerlessBert.Benchmarks.Onnx;
using ServerlessBert.Modeling.Bert;
using ServerlessBert.Modeling.Checkpoints;
using ServerlessBert.Modeling.Inference;
using ServerlessBert.Modeling.Tokenization;
using TorchSharp;

namespace ServerlessBert.Benchmarks.Inference;

/// <summary>Everyone who classifies the same reviews with the same weights.</summary>
internal sealed class InferenceSides : IDisposable
{
    public const string Int8 = "ServerlessBert int8", BFloat16 = "ServerlessBert bfloat16", Float32 = "ServerlessBert float32",
        Plain = "TorchSharp float32, packed tokens", OnnxFloat32 = "ONNX Runtime float32", OnnxInt8 = "ONNX Runtime int8 dynamic",
        Tutorial = "TorchSharp float32, padded to 512, batches of 8";

    /// <summary>What the name of a side on one thread ends with.</summary>
    public const string OnOneThread = ", one thread";

    private const int MaxTokens = 512, TutorialBatch = 8;

    private readonly BaseModel _model;
    private readonly List<IDisposable> _owned = [];
    private readonly IReadOnlyList<EncodedText[]> _batches;
    private readonly EncodedText[] _texts;

    /// <param name="sampledBatches">How many of the sorted reviews' batches are measured, evenly spread from the longest to the
    /// shortest.</param>
    /// <param name="batch">Reviews of a padded batch.</param>
    /// <param name="threads">Threads of every side.</param>
    /// <param name="shape">Another shape than bert-base's.</param>
    public InferenceSides(int sampledBatches, int batch, int threads, Func<BertConfig, BertConfig> shape)
    {
        _model = BaseModel.Create(shape);
        EncodedText[][] all = [.. BenchmarkReviews.Sorted(BertTokenizer.FromFolder(_model.Float32)).Chunk(batch)];
        _batches = [.. Enumerable.Range(0, sampledBatches).Select(index => all[(int)((index + 0.5) * all.Length / sampledBatches)])];
        // In an order that helps nobody.
        _texts = [.. _batches.SelectMany(texts => texts).OrderBy(text => text.InputIds.Length * 7919 % 1009)];

        // As it runs where nothing is said: the number type that it finds fastest.
        Fastest = $"ServerlessBert {Own(ReviewClassifier.Load(_model.Float32, new InferenceOptions { Threads = threads })).Dtype}";
        ReviewClassifier Ours(InferenceDtype dtype, int threads) =>
            Own(ReviewClassifier.Load(_model.Float32, new InferenceOptions { Dtype = dtype, Threads = threads }));
        ReviewClassifier int8 = Ours(InferenceDtype.Int8, threads), int8Alone = Ours(InferenceDtype.Int8, 1);
        ReviewClassifier bfloat16 = Ours(InferenceDtype.BFloat16, threads), bfloat16Alone = Ours(InferenceDtype.BFloat16, 1);
        ReviewClassifier float32 = Ours(InferenceDtype.Float32, threads);
        var weights = Own(CheckpointWeights.Load(_model.Float32, torch.float32));
        Config = weights.Config;
        var plain = new PlainPackedForward(weights);
        var onnxFloat32 = Own(new OnnxClassifier(OnnxBert.Write(weights, _model.FolderFor("onnx"), quantize: false), threads));
        var onnxInt8 = Own(new OnnxClassifier(OnnxBert.Write(weights, _model.FolderFor("onnx-int8"), quantize: true), threads));
        var tutorial = Own(Checkpoint.Load(_model.Float32));
        tutorial.Model.eval();
        EncodedText[] tutorialTexts = [.. _texts.Take(TutorialBatch)]; // padding makes every review cost the same

        All =
        [
            new(Int8, _texts, () => int8.Classify(_texts)),
            new(BFloat16, _texts, () => bfloat16.Classify(_texts)),
            new(OnnxInt8, _texts, () => PerBatch(onnxInt8)),
            new(Float32, _texts, () => float32.Classify(_texts)),
            new(OnnxFloat32, _texts, () => PerBatch(onnxFloat32)),
            new(Plain, _texts, () => OnAll(threads, () => { foreach (int[][] pass in Passes()) plain.Logits(pass); })),
            new(Int8 + OnOneThread, _texts, () => int8Alone.Classify(_texts)),
            new(BFloat16 + OnOneThread, _texts, () => bfloat16Alone.Classify(_texts)),
            new(Tutorial, tutorialTexts, () => OnAll(threads, () => PaddedTo512(tutorial, tutorialTexts))),
        ];

        Agreement = new Agreement(_batches[_batches.Count / 2][..4], [.. Rows(_batches[_batches.Count / 2][..4])],
            float32, bfloat16, int8, onnxFloat32.Logits, onnxInt8.Logits, plain.Logits);
    }

    /// <summary>The name of the side whose number type is chosen by default on this machine.</summary>
    public string Fastest { get; }

    /// <summary>The shape of the model.</summary>
    public BertConfig Config { get; }

    /// <summary>All sides.</summary>
    public IReadOnlyList<Side> All { get; }

    /// <summary>How far the sides' answers are apart.</summary>
    public Agreement Agreement { get; }

    /// <summary>The share of padding in the padded sides' tokens.</summary>
    public double PaddingShare =>
        1 - ((double)_texts.Sum(text => text.InputIds.Length) / _batches.Sum(
        batch => batch.Length * batch.Max(text => text.InputIds.Length)));

    public void Dispose()
    {
        foreach (IDisposable owned in _owned) owned.Dispose();
        _model.Dispose();
    }

    private T Own<T>(T owned) where T : IDisposable
    {
        _owned.Add(owned);
        return owned;
    }

    private static IEnumerable<int[]> Rows(IEnumerable<EncodedText> texts) => texts.Select(text => text.InputIds);

    private void PerBatch(OnnxClassifier onnx)
    {
        foreach (EncodedText[] batch in _batches) onnx.Logits([.. Rows(batch)]);
    }

    private IEnumerable<int[][]> Passes()
    {
        const int tokenBudget = 2048;
        var pass = new List<int[]>();
        foreach (int[] row in Rows(_texts))
        {
            if (pass.Sum(other => other.Length) + row.Length > tokenBudget)
            {
                yield return [.. pass];
                pass.Clear();
            }
            pass.Add(row);
        }
        yield return [.. pass];
    }

    // A classifier sets the number of threads that it wants; what comes next finds it as the last one left it.
    private static void OnAll(int threads, Action action)
    {
        torch.set_num_threads(threads);
        action();
    }

    private static void PaddedTo512(Checkpoint checkpoint, IReadOnlyList<EncodedText> texts)
    {
        using var scope = torch.NewDisposeScope();
        using var mode = torch.no_grad();
        using PaddedBatch batch = PaddedBatch.Of([.. Rows(texts)], checkpoint.Tokenizer.PaddingId, torch.CPU, MaxTokens);
        checkpoint.Model.call(batch.InputIds, batch.AttentionMask, null).Dispose();
    }
}
