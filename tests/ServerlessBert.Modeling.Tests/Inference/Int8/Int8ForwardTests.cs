using CsCheck;
using ServerlessBert.Modeling.Bert;
using ServerlessBert.Modeling.Checkpoints;
using ServerlessBert.Modeling.Inference;
using ServerlessBert.Modeling.Inference.Int8;
using ServerlessBert.Modeling.Inference.Packed;
using ServerlessBert.Testing;

namespace ServerlessBert.Modeling.Tests.Inference.Int8;

public sealed class Int8ForwardTests
{
    private const int Words = 23, MaxTokens = 64;

    // Root mean square, of logits up to 3, on random weights that tell texts apart: in so narrow a model few roundings cancel.
    private const double Tolerance = 0.1;

    private static readonly Gen<int[][]> Reviews = Gen.Int[0, Words - 1].Array[1, MaxTokens].Array[1, 20];

    [VnniFact]
    public void Logits_are_near_those_of_libtorchs_operations()
    {
        Compare(config => config);
        Compare(config => config with { HiddenAct = "gelu_new", NumHiddenLayers = 1 });
        Compare(config => config with { HiddenAct = "relu", NumHiddenLayers = 3 });
        Compare(config => config with { ModelType = "distilbert", TypeVocabSize = 0 });
    }

    [VnniFact]
    public void Widths_that_fill_no_vector_are_filled_up()
    {
        Compare(config => config with { HiddenSize = 36, NumAttentionHeads = 3, IntermediateSize = 50 });
        Compare(config => config with { HiddenSize = 120, NumAttentionHeads = 4, IntermediateSize = 200 });
    }

    [VnniFact]
    public void A_review_gives_the_same_bits_in_any_batch_order_budget_and_number_of_workers()
    {
        using IBatchForward forward = Create(config => config);
        Gen.Select(Reviews, Gen.Int[1, 400], Gen.Int[1, 4], Gen.Int[0, 1000]).Sample((rows, budget, threads, seed) =>
        {
            var options = new InferenceOptions { TokenBudget = budget, Threads = threads };
            int[] order = [.. Enumerable.Range(0, rows.Length)];
            new Random(seed).Shuffle(order);
            float[][] together = forward.Logits([.. order.Select(index => rows[index])], options, CancellationToken.None);
            for (int i = 0; i < order.Length; i++)
                Assert.Equal(forward.Logits([rows[order[i]]], new InferenceOptions { Threads = 1 }, CancellationToken.None)[0],
                    together[i]);
        }, iter: 40, threads: 1);
    }

    [VnniFact]
    public async Task Calls_at_once_get_their_own_answers_and_freeing_waits_for_them()
    {
        int[][] rows = [.. Enumerable.Range(1, 40)
            .Select(length => Enumerable.Range(0, length).Select(i => (i * length) % Words).ToArray())];
        IBatchForward forward = Create(config => config);
        float[][] expected = forward.Logits(rows, new InferenceOptions { Threads = 2 }, CancellationToken.None);
        using var started = new CountdownEvent(8);
        var calls = Enumerable.Range(0, 8).Select(call => Task.Factory.StartNew(() =>
        {
            int[][] part = rows[..(5 * (call + 1))];
            float[][] answers = forward.Logits(part, new InferenceOptions { Threads = 1 + (call % 3) }, CancellationToken.None);
            started.Signal();
            for (int again = 0; again < 20; again++)
            {
                try
                {
                    answers = forward.Logits(
                        part, new InferenceOptions { Threads = 1 + (call % 3), TokenBudget = 50 }, CancellationToken.None);
                }
                catch (ObjectDisposedException)
                {
                    break; // those that come after it was freed
                }
            }
            Assert.Equal(expected[..part.Length], answers);
        }, TaskCreationOptions.LongRunning)).ToArray();
        started.Wait();
        forward.Dispose();
        await Task.WhenAll(calls);

        Assert.Throws<ObjectDisposedException>(() => forward.Logits(rows, new InferenceOptions(), CancellationToken.None));
    }

    [VnniFact]
    public void A_token_that_the_model_does_not_have_is_an_error_and_not_somebody_elses_memory()
    {
        using IBatchForward forward = Create(config => config);

        Assert.Throws<ArgumentOutOfRangeException>(() => forward.Logits([[1, Words]], new InferenceOptions(), CancellationToken.None));
        Assert.Throws<ArgumentOutOfRangeException>(
            () => forward.Logits([new int[MaxTokens + 1]], new InferenceOptions { Threads = 2 }, CancellationToken.None));
        Assert.Single(forward.Logits([[1, 2]], new InferenceOptions(), CancellationToken.None));
    }

    private static void Compare(Func<BertConfig, BertConfig> change)
    {
        using IBatchForward fused = Create(change),
            libtorch = Create(
            change, new Maker((config, weights) => new LibTorchForward(new PackedForward(config, weights, InferenceDtype.Int8)))),
            exact = Create(change,
                new Maker((config, weights) => new LibTorchForward(new PackedForward(config, weights, InferenceDtype.Float32))));
        Reviews.Sample(rows =>
        {
            float[][] Logits(IBatchForward forward) => forward.Logits(rows, new InferenceOptions(), CancellationToken.None);
            float[][] actual = Logits(fused);
            Assert.True(Distance(Logits(exact), actual) < Tolerance, $"{Distance(Logits(exact), actual)} from float32");
            Assert.True(Distance(Logits(libtorch), actual) < 2 * Tolerance, $"{Distance(Logits(libtorch), actual)} from libtorch's int8");
        }, iter: 10, threads: 1);
    }

    private static double Distance(float[][] left, float[][] right) =>
        Math.Sqrt(left.Zip(right).SelectMany(pair => pair.First.Zip(pair.Second))
            .Average(pair => Math.Pow((double)pair.First - pair.Second, 2)));

    private delegate IBatchForward Maker(BertConfig config, IWeightSource weights);

    private static IBatchForward Create(Func<BertConfig, BertConfig> change, Maker? maker = null)
    {
        using Checkpoint small = SmallModels.Create(maxPositions: MaxTokens);
        using Checkpoint checkpoint = Checkpoint.Create(change(small.Config), small.Tokenizer, seed: 5);
        return NativeThread.Run(
            () => (maker ?? ((config, weights) => Int8Forward.Create(config, weights, defaultThreads: 2)))(
            checkpoint.Config, new TensorsInMemory(checkpoint.Model.state_dict())));
    }
}
