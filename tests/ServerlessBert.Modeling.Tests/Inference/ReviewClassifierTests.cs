using CsCheck;
using ServerlessBert.Modeling.Inference;
using ServerlessBert.Testing;

namespace ServerlessBert.Modeling.Tests.Inference;

public sealed class ReviewClassifierTests : IDisposable
{
    private readonly ReviewClassifier classifier =
        ReviewClassifier.Of(SmallModels.Create(), new InferenceOptions { Dtype = InferenceDtype.Float32 });

    public void Dispose() => classifier.Dispose();

    private static readonly Gen<string> Text =
        Gen.OneOf(Gen.Const("the"), Gen.Const("food"), Gen.Const("was"), Gen.Const("good"), Gen.Const("awful"), Gen.Const("zzz"),
        Gen.Const(".")).Array[0, 90].Select(words => string.Join(' ', words));

    // bfloat16 and int8 round what comes between: another order of the same sums moves the last digit that they keep.
    [Theory]
    [InlineData(InferenceDtype.Float32, 1e-5f)]
    [InlineData(InferenceDtype.BFloat16, 0.02f)]
    [InlineData(InferenceDtype.Int8, 2e-3f)]
    public void A_batch_gives_what_singles_give(InferenceDtype dtype, float tolerance)
    {
        using var fast = ReviewClassifier.Of(SmallModels.Create(), new InferenceOptions { Dtype = dtype });
        Assert.True(fast.IsFast);
        Text.Array[1, 12].Sample(texts =>
        {
            IReadOnlyList<Classification> together = fast.Classify(texts);
            for (int i = 0; i < texts.Length; i++)
            {
                Classification alone = fast.Classify([texts[i]])[0];
                Assert.All(alone.Probabilities.Zip(together[i].Probabilities), pair => Assert.Equal(pair.First, pair.Second, tolerance));
                Assert.Equal(alone.Tokens, together[i].Tokens);
            }
        }, iter: 30, threads: 1);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(64)]
    [InlineData(100_000)]
    public void The_token_budget_changes_nothing_but_the_order_of_work(int budget)
    {
        string[] texts = [.. SmallModels.Reviews(40).Select(review => review.Text)];
        using var other =
            ReviewClassifier.Of(SmallModels.Create(), new InferenceOptions { Dtype = InferenceDtype.Float32, TokenBudget = budget });

        foreach (var (left, right) in classifier.Classify(texts).Zip(other.Classify(texts)))
            Assert.All(left.Probabilities.Zip(right.Probabilities), pair => Assert.Equal(pair.First, pair.Second, 1e-5f));
    }

    [Fact]
    public void Probabilities_sum_to_one_and_different_texts_differ()
    {
        IReadOnlyList<Classification> classifications = classifier.Classify(["the food was awful", "very good service"]);

        Assert.All(classifications, one => Assert.Equal(1f, one.Probabilities.Sum(), 1e-5f));
        Assert.NotEqual(classifications[0].Probabilities, classifications[1].Probabilities);
    }

    [Fact]
    public void A_text_over_the_maximum_is_truncated_and_says_so()
    {
        Classification classification = classifier.Classify([string.Join(' ', Enumerable.Repeat("good", 500))])[0];

        Assert.True(classification.IsTruncated);
        Assert.Equal(classifier.MaxLength, classification.Tokens);
    }

    [Fact]
    public void Each_classifier_computes_with_its_own_number_of_threads()
    {
        using var alone = ReviewClassifier.Of(SmallModels.Create(), new InferenceOptions { Dtype = InferenceDtype.Float32, Threads = 1 });

        int[] threads = NativeThread.Run(() => new[] { classifier, alone, classifier }.Select(one =>
        {
            one.Classify(["good"]);
            return TorchSharp.torch.get_num_threads();
        }).ToArray());

        Assert.Equal([threads[0], 1, threads[0]], threads);
    }

    [Fact]
    public void Unknown_tokens_are_counted() => Assert.Equal(2, classifier.Classify(["xyzzy food plugh"])[0].UnknownTokens);

    [Fact]
    public void No_text_gives_no_classification() => Assert.Empty(classifier.Classify(Array.Empty<string>()));

    [Theory]
    [InlineData(InferenceDtype.BFloat16, "bfloat16")]
    [InlineData(InferenceDtype.Int8, "int8")]
    public void Other_number_types_give_nearly_the_same_probabilities(InferenceDtype dtype, string name)
    {
        string[] texts = [.. SmallModels.Reviews(20).Select(review => review.Text)];
        using var half = ReviewClassifier.Of(SmallModels.Create(), new InferenceOptions { Dtype = dtype });

        Assert.Equal(name, half.Dtype);
        foreach (var (left, right) in classifier.Classify(texts).Zip(half.Classify(texts)))
            Assert.All(left.Probabilities.Zip(right.Probabilities), pair => Assert.Equal(pair.First, pair.Second, 0.05f));
    }

    [Fact]
    public void Calls_from_many_threads_get_their_own_answers()
    {
        string[] texts = [.. SmallModels.Reviews(32).Select(review => review.Text)];
        IReadOnlyList<Classification> expected = classifier.Classify(texts);

        Parallel.For(0, 8, _ => Assert.Equal(expected.Select(one => one.Stars), classifier.Classify(texts).Select(one => one.Stars)));
    }

    [Fact]
    public void Classifying_leaves_no_tensor_behind()
    {
        string[] texts = [.. SmallModels.Reviews(32).Select(review => review.Text)];
        classifier.Classify(texts);
        long before = TensorCount.Settled();
        for (int pass = 0; pass < 5; pass++) classifier.Classify(texts);

        Assert.Equal(before, TorchSharp.torch.Tensor.TotalCount);
    }

    [Fact]
    public void A_cancelled_call_ends_with_a_cancellation() =>
        Assert.Throws<OperationCanceledException>(() => classifier.Classify(["good"], new CancellationToken(canceled: true)));
}
