using System.Text.Json;
using ServerlessBert.Modeling.Bert;
using ServerlessBert.Modeling.Checkpoints;
using ServerlessBert.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling.Tests.Bert;

/// <summary>Forward and backward against gradients made by another implementation and float64 values.</summary>
public sealed class ReferenceNumbersTests
{
    private const double Tolerance = 1e-6;

    [SharedDataFact]
    public void States_logits_and_losses_agree_with_the_reference()
    {
        using var toy = new Toy();
        toy.RequireClose("derived_last_hidden_state", toy.Hidden, 5e-6); // Up to 4 in size, so 1e-6 is float32's own step.
        toy.RequireClose("derived_pooler_output", toy.Pooled, Tolerance);
        toy.RequireClose("derived_prediction_scores", toy.Predictions, Tolerance);
        toy.RequireClose("derived_seq_relationship_score", toy.Relationship, Tolerance);
        Assert.Equal(toy.Number("derived_mlm_loss"), toy.MaskedLoss.ToDouble(), Tolerance);
        Assert.Equal(toy.Number("derived_nsp_loss"), toy.NextLoss.ToDouble(), Tolerance);
        Assert.Equal(toy.Number("derived_total_loss"), toy.Loss.ToDouble(), Tolerance);
    }

    [SharedDataFact]
    public void The_gradients_of_all_94_parameters_agree_with_the_reference()
    {
        using var toy = new Toy();
        toy.Loss.backward();
        var gradients = toy.Fixture.GetProperty("golden_gradients");
        var parameters = toy.Model.named_parameters().ToDictionary(each => each.name, each => each.parameter);
        Assert.Equal(94, gradients.EnumerateObject().Count());
        Assert.Equal(parameters.Keys.Order(), gradients.EnumerateObject().Select(each => each.Name).Order());
        foreach (var gradient in gradients.EnumerateObject())
            Toy.RequireClose(gradient.Name, gradient.Value, parameters[gradient.Name].grad!, Tolerance);
    }

    private sealed class Toy : IDisposable
    {
        private readonly DisposeScope scope;

        public Toy()
        {
            Fixture = JsonDocument.Parse(File.ReadAllText(SharedData.PathOf("bert-toy", "fixture.json"))).RootElement;
            Model = new BertForPreTraining(BertConfig.Load(SharedData.PathOf("bert-toy", "config.json")));
            using (var reader = SafetensorsReader.Open(SharedData.PathOf("bert-toy", "bert_toy.safetensors")))
            {
                var parameters = Model.named_parameters().ToDictionary(each => each.name, each => each.parameter);
                Assert.Equal(parameters.Keys.Order(), reader.Header.Entries.Select(entry => entry.Name).Order());
                foreach (var entry in reader.Header.Entries) reader.ReadInto(entry, parameters[entry.Name]);
            }
            scope = NewDisposeScope();
            (Hidden, Pooled, Predictions, Relationship) = Model.Forward(Input("input_ids"), Input("input_mask"), Input("token_type_ids"));
            MaskedLoss = nn.functional.cross_entropy(Predictions.view(91, -1), Input("masked_lm_ids").view(-1));
            NextLoss = nn.functional.cross_entropy(Relationship, Input("next_sentence_labels").view(-1));
            Loss = MaskedLoss + NextLoss;
        }

        public JsonElement Fixture { get; }
        public BertForPreTraining Model { get; }
        public Tensor Hidden { get; }
        public Tensor Pooled { get; }
        public Tensor Predictions { get; }
        public Tensor Relationship { get; }
        public Tensor MaskedLoss { get; }
        public Tensor NextLoss { get; }
        public Tensor Loss { get; }

        public double Number(string name) => Fixture.GetProperty(name).GetDouble();

        public void RequireClose(string name, Tensor actual, double tolerance) =>
            RequireClose(name, Fixture.GetProperty(name), actual, tolerance);

        public static void RequireClose(string name, JsonElement expected, Tensor actual, double tolerance)
        {
            float[] values = actual.detach().contiguous().view(-1).data<float>().ToArray();
            Assert.Equal(expected.GetArrayLength(), values.Length);
            double worst = expected.EnumerateArray().Zip(values, (want, have) => Math.Abs(want.GetDouble() - have)).Max();
            Assert.True(worst <= tolerance, $"{name} differs by {worst:g3}, more than {tolerance:g3}");
        }

        public void Dispose()
        {
            scope.Dispose();
            Model.Dispose();
        }

        private Tensor Input(string name)
        {
            long[] values = [.. Fixture.GetProperty("inputs").GetProperty(name).EnumerateArray().Select(each => each.GetInt64())];
            return tensor(values).view(13, -1);
        }
    }
}
