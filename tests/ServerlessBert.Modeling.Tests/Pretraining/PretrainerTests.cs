using ServerlessBert.Modeling.Bert;
using ServerlessBert.Modeling.Checkpoints;
using ServerlessBert.Modeling.Pretraining;
using ServerlessBert.Modeling.Training;
using ServerlessBert.Testing;
using TorchSharp;

namespace ServerlessBert.Modeling.Tests.Pretraining;

public sealed class PretrainerTests
{
    private static readonly PretrainingOptions Quick =
        new() { Epochs = 8, LearningRate = 1e-2, BatchSize = 8, SequenceLength = 16, Precision = Precision.Float32 };

    private static readonly string[] Texts = [.. SmallModels.Reviews(120).Select(review => review.Text)];

    [Fact]
    public void It_learns_to_guess_hidden_words_from_the_words_around_them()
    {
        using Checkpoint checkpoint = SmallModels.Create();
        using var model = BertForMaskedLM.Over(checkpoint.Model);
        // Each text says one word over and over: who reads the others knows the hidden one, who counts words does not.
        string[] texts =
            [.. Enumerable.Range(0, 60).Select(row => string.Join(' ', Enumerable.Repeat(SmallModels.WordsByStars[row % 5], 40)))];
        double frequenciesAlone = Math.Log(5);
        var losses = new List<double>();

        new Pretrainer(model, checkpoint.Tokenizer, Quick with { LearningRate = 3e-3, Epochs = 6 })
            .Train(texts, new Reports(progress => losses.Add(progress.Loss)));

        double end = losses.TakeLast(20).Average();
        Assert.True(losses[0] > frequenciesAlone, $"it starts at {losses[0]:0.00}");
        Assert.True(end < 0.6 * frequenciesAlone, $"it ends at {end:0.00}; frequencies alone give {frequenciesAlone:0.00}");
    }

    [Fact]
    public void A_result_counts_its_steps()
    {
        using Checkpoint checkpoint = SmallModels.Create();
        var steps = 0;
        using var model = BertForMaskedLM.Over(checkpoint.Model);

        PretrainingResult result = new Pretrainer(model, checkpoint.Tokenizer, Quick with { MaxSteps = 4 })
            .Train(Texts, new Reports(progress => Assert.Equal((++steps, 4), (progress.Step, progress.TotalSteps))));

        Assert.Equal((4, 4, false), (steps, result.Steps, result.IsCancelled));
    }

    [Fact]
    public void The_classifier_whose_encoder_it_is_changes_with_it_and_only_there()
    {
        using Checkpoint checkpoint = SmallModels.Create();
        Dictionary<string, float[]> before = Weights(checkpoint);

        Pretrain(checkpoint, Quick with { MaxSteps = 2 });

        foreach (var (name, values) in Weights(checkpoint))
        {
            bool stays = name.StartsWith("classifier.") || name.StartsWith("bert.pooler.");
            Assert.True(stays == values.SequenceEqual(before[name]), $"{name} {(stays ? "changed" : "stayed")}");
        }
    }

    [Fact]
    public void The_same_seed_gives_the_same_weights_and_another_seed_others()
    {
        float[] After(int seed)
        {
            using Checkpoint checkpoint = SmallModels.Create();
            Pretrain(checkpoint, Quick with { MaxSteps = 5, Seed = seed, Dropout = 0.1 });
            return Weights(checkpoint)["bert.encoder.layer.0.output.dense.weight"];
        }

        Assert.Equal(After(1), After(1));
        Assert.NotEqual(After(1), After(2));
    }

    [Fact]
    public void BFloat16_products_learn_as_well()
    {
        using Checkpoint exact = SmallModels.Create(), rounded = SmallModels.Create();

        double expected = Pretrain(exact, Quick with { MaxSteps = 30 }).FinalLoss;
        double actual = Pretrain(rounded, Quick with { MaxSteps = 30, Precision = Precision.BFloat16Mixed }).FinalLoss;

        Assert.InRange(actual, 0.9 * expected, 1.1 * expected);
        Assert.All(rounded.Model.state_dict().Values, weight => Assert.Equal(torch.float32, weight.dtype));
    }

    [Fact]
    public void Cancelling_stops_after_the_present_step_and_a_classifier_can_be_fine_tuned_afterwards()
    {
        using Checkpoint checkpoint = SmallModels.Create();
        using var source = new CancellationTokenSource();
        PretrainingResult result;
        using (var model = BertForMaskedLM.Over(checkpoint.Model))
        {
            var stop = new Reports(progress => { if (progress.Step == 3) source.Cancel(); });
            result = new Pretrainer(model, checkpoint.Tokenizer, Quick).Train(Texts, stop, source.Token);
        }
        TrainingResult tuned = new FineTuner(checkpoint, new TrainingOptions { Epochs = 1, LearningRate = 1e-3 })
            .Train(SmallModels.Reviews(32), []);

        Assert.Equal((3, true), (result.Steps, result.IsCancelled));
        Assert.Equal(2, tuned.Steps);
    }

    [Fact]
    public void A_step_leaves_no_tensor_behind()
    {
        using Checkpoint checkpoint = SmallModels.Create();
        using var model = BertForMaskedLM.Over(checkpoint.Model);
        long LeftBehind(int steps)
        {
            long before = TensorCount.Settled();
            new Pretrainer(model, checkpoint.Tokenizer, Quick with { MaxSteps = steps }).Train(Texts);
            return torch.Tensor.TotalCount - before;
        }
        LeftBehind(1);

        Assert.InRange(LeftBehind(12) - LeftBehind(2), long.MinValue, 9);
    }

    [Fact]
    public void A_loss_that_is_no_number_stops_it_and_names_the_step()
    {
        using Checkpoint checkpoint = SmallModels.Create();
        using (torch.no_grad()) checkpoint.Model.state_dict()["bert.embeddings.LayerNorm.weight"].fill_(float.NaN);

        Assert.Contains("step 1", Assert.Throws<TrainingException>(() => Pretrain(checkpoint, Quick)).Message);
    }

    [Fact]
    public void Options_out_of_range_and_pieces_longer_than_the_model_are_refused_by_name()
    {
        using Checkpoint checkpoint = SmallModels.Create();

        Assert.Contains(
            "MaskingRate", Assert.Throws<TrainingException>(() => Pretrain(checkpoint, Quick with { MaskingRate = 0 })).Message);
        Assert.Contains(
            "64 positions", Assert.Throws<TrainingException>(() => Pretrain(checkpoint, Quick with { SequenceLength = 65 })).Message);
    }

    private static PretrainingResult Pretrain(Checkpoint checkpoint, PretrainingOptions options)
    {
        using var model = BertForMaskedLM.Over(checkpoint.Model);
        return new Pretrainer(model, checkpoint.Tokenizer, options).Train(Texts);
    }

    private static Dictionary<string, float[]> Weights(Checkpoint checkpoint) => checkpoint.Model.named_parameters()
        .ToDictionary(each => each.name, each => each.parameter.detach().contiguous().view(-1).data<float>().ToArray());

    private sealed class Reports(Action<TrainingProgress> report) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => report(value);
    }
}
