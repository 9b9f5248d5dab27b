using CsCheck;
using ServerlessBert.Modeling.Bert;
using ServerlessBert.Modeling.Checkpoints;
using ServerlessBert.Modeling.Inference;
using ServerlessBert.Modeling.Inference.Packed;
using ServerlessBert.Modeling.Tokenization;
using ServerlessBert.Testing;

namespace ServerlessBert.Modeling.Tests.Inference;

/// <summary>The packed layers against the module tree, which is itself held to the reference's numbers.</summary>
public class PackedForwardTests
{
    private static readonly InferenceOptions Packed = new() { Dtype = InferenceDtype.Float32 };
    private static readonly InferenceOptions Plain = Packed with { PlainForward = true };

    [Theory]
    [InlineData("gelu")]
    [InlineData("gelu_new")]
    [InlineData("relu")]
    public void It_gives_the_module_trees_probabilities_in_every_number_type(string hiddenAct) =>
        CompareAll(config => config with { HiddenAct = hiddenAct });

    [Fact]
    public void A_single_layer_is_enough() => CompareAll(config => config with { NumHiddenLayers = 1 });

    [Fact]
    public void A_model_without_token_types_and_with_distilberts_pooler_is_equal_too() =>
        CompareAll(config => config with { ModelType = "distilbert", TypeVocabSize = 0 });

    [Fact]
    public void A_head_size_without_an_exact_root_is_scaled_right() => CompareAll(config => config with { NumAttentionHeads = 4 });

    [Fact]
    public void Its_passes_keep_the_order_and_hold_every_review_once() =>
        Gen.Select(Gen.Int[2, 512].Array[0, 100], Gen.Int[1, 4096]).Sample((lengths, budget) =>
        {
            using var checkpoint = SmallModels.Create();
            using var forward =
                new PackedForward(checkpoint.Config, new TensorsInMemory(checkpoint.Model.state_dict()), InferenceDtype.Float32);
            int[][] passes = [.. forward.Passes(lengths, budget)];
            Assert.Equal(Enumerable.Range(0, lengths.Length), passes.SelectMany(pass => pass));
            Assert.All(passes, pass => Assert.True(pass.Length == 1 || pass.Sum(index => lengths[index]) <= budget));
        }, iter: 10);

    [Fact]
    public void A_folder_gives_what_the_checkpoint_in_memory_gives()
    {
        string parent = Directory.CreateTempSubdirectory().FullName;
        try
        {
            string folder = SmallModels.Save(parent, seed: 3);
            using ReviewClassifier loaded = ReviewClassifier.Load(folder, Packed), plain = ReviewClassifier.Load(folder, Plain),
                inMemory = ReviewClassifier.Of(SmallModels.Create(seed: 3), Packed);
            string[] texts = [.. SmallModels.Reviews(30).Select(review => review.Text)];

            Assert.Equal(inMemory.Classify(texts).SelectMany(one => one.Probabilities),
                loaded.Classify(texts).SelectMany(one => one.Probabilities));
            AssertNear(plain.Classify(texts), loaded.Classify(texts));
        }
        finally
        {
            Directory.Delete(parent, recursive: true);
        }
    }

    // What a number type rounds to, on random weights that tell texts apart.
    private static void CompareAll(Func<BertConfig, BertConfig> change)
    {
        Compare(change, InferenceDtype.Float32, 1e-5f);
        Compare(change, InferenceDtype.BFloat16, 0.05f);
        Compare(change, InferenceDtype.Int8, 0.05f);
    }

    private static void Compare(Func<BertConfig, BertConfig> change, InferenceDtype dtype, float tolerance)
    {
        BertTokenizer tokenizer;
        BertConfig config;
        using (Checkpoint small = SmallModels.Create()) (tokenizer, config) = (small.Tokenizer, change(small.Config));
        using var packed = ReviewClassifier.Of(Checkpoint.Create(config, tokenizer, seed: 5), Packed with { Dtype = dtype });
        using var plain = ReviewClassifier.Of(Checkpoint.Create(config, tokenizer, seed: 5), Plain);
        string[] texts =
            [.. SmallModels.Reviews(40).Select(review => review.Text), "", string.Join(' ', Enumerable.Repeat("very good food", 40))];

        AssertNear(plain.Classify(texts), packed.Classify(texts), tolerance);
    }

    private static void AssertNear(IReadOnlyList<Classification> expected, IReadOnlyList<Classification> actual, float tolerance = 1e-5f)
    {
        foreach (var (left, right) in expected.Zip(actual))
            Assert.All(left.Probabilities.Zip(right.Probabilities), pair => Assert.Equal(pair.First, pair.Second, tolerance));
    }
}
