using System.Globalization;
using ServerlessBert.Modeling.Inference;
using ServerlessBert.Modeling.Inference.Packed;
using ServerlessBert.Testing;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling.Tests.Inference;

/// <summary>Numbers that are given to native code live until it has read them, whatever the garbage collector does meanwhile.</summary>
public class ScalarLifetimeTests
{
    // 10,000 of them take over a minute beside a collector; the fault that they look for came within a hundred.
    private static readonly int ForwardPasses =
        int.Parse(Environment.GetEnvironmentVariable("SERVERLESSBERT_STRESS_PASSES") ?? "1000", CultureInfo.InvariantCulture);

    [Theory]
    [InlineData(InferenceDtype.Float32)]
    [InlineData(InferenceDtype.Int8)]
    public void Forward_passes_under_forced_collections_all_give_one_result(InferenceDtype dtype)
    {
        using var classifier = ReviewClassifier.Of(SmallModels.Create(), new InferenceOptions { Dtype = dtype });
        var texts = classifier.Tokenize(["the food was very good"]);
        float[] expected = classifier.Classify(texts)[0].Probabilities;
        using var collections = new ForcedCollections();

        for (int pass = 0; pass < ForwardPasses; pass++) Assert.Equal(expected, classifier.Classify(texts)[0].Probabilities);

        Assert.InRange(collections.Count, 10, int.MaxValue);
    }

    [Fact]
    public void A_bare_number_is_refused_since_nothing_would_hold_it()
    {
        var operations = TorchScriptOps.Of("""
              def add(self: __torch__.Ops, x: Tensor, y: float) -> Tensor:
                return torch.add(x, y)

            """);
        using Tensor x = ones(1);

        Assert.Contains("Scalar", Assert.Throws<ArgumentException>(() => operations.Call("add", x, 1.5)).Message, StringComparison.Ordinal);
        using Tensor sum = operations.Call("add", x, (TorchSharp.Scalar)1.5);
        Assert.Equal(2.5f, sum.item<float>());
    }

    /// <summary>A thread that collects and finalizes without a pause.</summary>
    private sealed class ForcedCollections : IDisposable
    {
        private readonly Thread thread;
        private volatile bool isEnding;
        private int count;

        public ForcedCollections()
        {
            thread = new Thread(Collect) { IsBackground = true };
            thread.Start();
        }

        public int Count => Volatile.Read(ref count);

        public void Dispose()
        {
            isEnding = true;
            thread.Join();
        }

        private void Collect()
        {
            for (; !isEnding; Interlocked.Increment(ref count))
            {
                GC.Collect(0, GCCollectionMode.Forced, blocking: true);
                GC.WaitForPendingFinalizers();
            }
        }
    }
}
