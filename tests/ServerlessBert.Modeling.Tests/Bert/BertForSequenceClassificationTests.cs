using CsCheck;
using ServerlessBert.Modeling.Bert;
using TorchSharp;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling.Tests.Bert;

[Collection(GlobalRandomState.Name)]
public sealed class BertForSequenceClassificationTests
{
    internal static readonly BertConfig Small = new()
    {
        VocabSize = 60,
        HiddenSize = 32,
        NumHiddenLayers = 2,
        NumAttentionHeads = 4,
        IntermediateSize = 48,
        MaxPositionEmbeddings = 40,
        InitializerRange = 0.2,
    };

    [Fact]
    public void The_state_dict_has_exactly_Hugging_Faces_keys()
    {
        using var model = new BertForSequenceClassification(Small with { NumHiddenLayers = 1 });
        string[] expected =
        [
            "bert.embeddings.word_embeddings.weight", "bert.embeddings.position_embeddings.weight",
            "bert.embeddings.token_type_embeddings.weight", "bert.embeddings.LayerNorm.weight", "bert.embeddings.LayerNorm.bias",
            .. ((string[])["attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense",
                "attention.output.LayerNorm", "intermediate.dense", "output.dense", "output.LayerNorm"])
                .SelectMany(part => (string[])[$"bert.encoder.layer.0.{part}.weight", $"bert.encoder.layer.0.{part}.bias"]),
            "bert.pooler.dense.weight", "bert.pooler.dense.bias", "classifier.weight", "classifier.bias",
        ];
        Assert.Equal(expected.Order(), model.state_dict().Keys.Order());
    }

    [Theory]
    [InlineData(2)]
    [InlineData(0)]
    public void The_shapes_known_beforehand_are_those_of_the_model(int tokenTypes)
    {
        using var model = new BertForSequenceClassification(Small with { TypeVocabSize = tokenTypes });
        var shapes = model.named_parameters().Select(each => (each.name, string.Join(",", each.parameter.shape)));
        Assert.Equal(BertShapes.Of(model.Config).Select(each => (each.Key, string.Join(",", each.Value))).Order(), shapes.Order());
    }

    [Fact]
    public void A_padded_batch_gives_the_logits_of_its_rows_alone()
    {
        using var model = Seeded(Small);
        Gen.Int[1, 59].Array[1, 40].Array[1, 6].Sample(rows =>
        {
            using var noGrad = no_grad();
            using var scope = NewDisposeScope();
            int longest = rows.Max(row => row.Length);
            var ids = Batch(rows.Select(row => row.Concat(new int[longest - row.Length])));
            var mask = Batch(rows.Select(row => Enumerable.Range(0, longest).Select(at => at < row.Length ? 1 : 0)));
            var together = model.call(ids, mask, null);
            foreach (var (row, index) in rows.Select((row, index) => (row, index)))
                Assert.True(Difference(together[index], model.call(Batch([row]), null, null)[0]) < 1e-5);
        }, iter: 60, threads: 1);
    }

    [Fact]
    public void Masks_of_either_type_and_no_mask_at_all_agree()
    {
        using var model = Seeded(Small);
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var ids = Batch([[2, 7, 9, 3], [2, 8, 5, 3]]);
        var plain = model.call(ids, null, null);
        Assert.Equal(0, Difference(plain, model.call(ids, ones_like(ids), zeros_like(ids))));
        Assert.Equal(0, Difference(plain, model.call(ids, ones_like(ids, dtype: ScalarType.Bool), null)));
    }

    [Fact]
    public void A_row_of_nothing_but_padding_stays_finite()
    {
        using var model = Seeded(Small);
        using var logits = model.call(Batch([[1, 2]]), Batch([[0, 0]]), null);
        Assert.True(logits.isfinite().all().item<bool>());
    }

    [Fact]
    public void Token_types_count()
    {
        using var model = Seeded(Small);
        using var scope = NewDisposeScope();
        var ids = Batch([[2, 7, 9, 3]]);
        Assert.True(Difference(model.call(ids, null, null), model.call(ids, null, Batch([[0, 0, 1, 1]]))) > 1e-4);
    }

    [Theory]
    [InlineData("gelu")]
    [InlineData("gelu_new")]
    [InlineData("relu")]
    [InlineData("tanh")]
    public void An_activation_is_its_closed_form(string name)
    {
        using var scope = NewDisposeScope();
        var x = linspace(-5, 5, 101, float64);
        double[] actual = Activation.Of(name)(x).data<double>().ToArray();
        double[] expected = [.. x.data<double>().ToArray().Select(value => name switch
        {
            // Φ by its own integral: 1/2 + ∫₀ˣ φ, Simpson's rule.
            "gelu" => value * NormalDistribution(value),
            "gelu_new" => 0.5 * value * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (value + 0.044715 * value * value * value))),
            "relu" => Math.Max(value, 0),
            _ => Math.Tanh(value),
        })];
        Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, 1e-9));
    }

    [Fact]
    public void The_configured_activation_is_the_one_computed()
    {
        var logits = ((string[])["gelu", "gelu_new", "relu"]).Select(name =>
        {
            using var model = Seeded(Small with { HiddenAct = name });
            using var noGrad = no_grad();
            return model.call(Batch([[2, 7, 9, 3]]), null, null);
        }).ToList();
        Assert.True(Difference(logits[0], logits[1]) is > 1e-7 and < 1e-2);
        Assert.True(Difference(logits[0], logits[2]) > 1e-3);
    }

    [Fact]
    public void Fresh_weights_are_drawn_as_the_reference_draws_them()
    {
        using var model = Seeded(Small with { VocabSize = 3000, PadTokenId = 5 });
        foreach (var (name, parameter) in model.named_parameters())
        {
            if (name.EndsWith("bias")) Assert.Equal(0, parameter.abs().max().item<float>());
            else if (name.Contains("LayerNorm")) Assert.Equal((1f, 1f), (parameter.min().item<float>(), parameter.max().item<float>()));
            else Assert.Equal(0.2, parameter.std().item<float>(), 0.03);
            if (name.Contains("word_embeddings")) Assert.Equal(0, parameter[5].abs().max().item<float>());
        }
    }

    [Fact]
    public void The_same_seed_gives_the_same_weights_and_another_seed_others()
    {
        using BertForSequenceClassification first = Seeded(Small, 1), again = Seeded(Small, 1), other = Seeded(Small, 2);
        foreach (var (name, parameter) in first.named_parameters())
        {
            Assert.True(parameter.equal(again.get_parameter(name)!).all().item<bool>());
            if (name.EndsWith("dense.weight")) Assert.False(parameter.equal(other.get_parameter(name)!).all().item<bool>());
        }
    }

    [Fact]
    public void Dropout_acts_in_training_only()
    {
        using var model = Seeded(Small);
        using var scope = NewDisposeScope();
        var ids = Batch([[2, 7, 9, 3]]);
        Assert.Equal(0, Difference(model.call(ids, null, null), model.call(ids, null, null)));
        model.train();
        Assert.True(Difference(model.call(ids, null, null), model.call(ids, null, null)) > 1e-4);
    }

    [Fact]
    public void Attention_dropout_alone_acts_too()
    {
        using var model = Seeded(Small with { HiddenDropoutProb = 0, AttentionProbsDropoutProb = 0.5 });
        using var scope = NewDisposeScope();
        var ids = Batch([[2, 7, 9, 3]]);
        model.train();
        Assert.True(Difference(model.call(ids, null, null), model.call(ids, null, null)) > 1e-5);
    }

    [Fact]
    public void Forward_leaves_no_tensor_behind_but_the_logits()
    {
        using var model = Seeded(Small);
        using var ids = Batch([[2, 7, 9, 3]]);
        using var mask = Batch([[1, 1, 1, 0]]);
        model.train();
        using var scope = NewDisposeScope();
        model.call(ids, mask, null);
        Assert.Equal(1, scope.DisposablesCount);
    }

    [Fact]
    public void A_training_step_reaches_every_parameter_and_spares_the_padding_row()
    {
        using var model = Seeded(Small);
        using var scope = NewDisposeScope();
        nn.functional.cross_entropy(
            model.call(Batch([[2, 7, 9, 0], [4, 5, 6, 8]]), Batch([[1, 1, 1, 0], [1, 1, 1, 1]]), null),
            tensor(new long[] { 4, 1 })).backward();
        foreach (var (name, parameter) in model.named_parameters())
        {
            Assert.NotNull(parameter.grad);
            // A key's bias cancels in the softmax.
            if (!name.EndsWith("key.bias")) Assert.True(parameter.grad.abs().max().item<float>() > 1e-6, name);
            if (name.EndsWith("word_embeddings.weight")) Assert.Equal(0, parameter.grad[0].abs().max().item<float>());
        }
    }

    [Fact]
    public void A_sequence_beyond_the_positions_is_refused_with_both_numbers()
    {
        using var model = Seeded(Small);
        using var ids = ones(1, 41, int64);
        Assert.Contains(
            "41 tokens is longer than the model's 40", Assert.Throws<ArgumentException>(() => model.call(ids, null, null)).Message);
    }

    [Fact]
    public void An_unsound_configuration_builds_no_model() =>
        Assert.Contains(
            "not a multiple",
            Assert.Throws<ArgumentException>(() => new BertForSequenceClassification(Small with { HiddenSize = 33 })).Message);

    internal static BertForSequenceClassification Seeded(BertConfig config, long seed = 7)
    {
        random.manual_seed(seed);
        var model = new BertForSequenceClassification(config);
        model.eval();
        return model;
    }

    internal static Tensor Batch(IEnumerable<IEnumerable<int>> rows)
    {
        var lists = rows.Select(row => row.Select(id => (long)id).ToArray()).ToList();
        return tensor(lists.SelectMany(row => row).ToArray(), [lists.Count, lists[0].Length]);
    }

    internal static double Difference(Tensor left, Tensor right)
    {
        using var scope = NewDisposeScope();
        return (left - right).abs().max().ToDouble();
    }

    private static double NormalDistribution(double x)
    {
        const int steps = 2000;
        double h = x / steps;
        double Density(double t) => Math.Exp(-t * t / 2) / Math.Sqrt(2 * Math.PI);
        double sum = Density(0) + Density(x) + Enumerable.Range(1, steps - 1).Sum(i => (i % 2 == 1 ? 4 : 2) * Density(i * h));
        return 0.5 + sum * h / 3;
    }
}
