using ServerlessBert.Modeling.Tokenization;
using ServerlessBert.Modeling.Training;
using ServerlessBert.Testing;

namespace ServerlessBert.Modeling.Tests.Training;

public sealed class AugmentationTests
{
    private static readonly BertTokenizer Tokenizer = SmallModels.Create().Tokenizer;
    private static readonly int[][] Rows = [.. SmallModels.Reviews(400).Select(review => Tokenizer.Encode(review.Text))];

    [Fact]
    public void Word_dropout_leaves_out_its_share_and_neither_the_first_nor_the_last_token()
    {
        int[][] noisy = new Augmentation(new TrainingOptions { TokenDropout = 0.3 }, Tokenizer).On(Rows, step: 1, batch: 0);

        Assert.All(noisy, row => Assert.Equal((Tokenizer.ClassificationId, Tokenizer.SeparatorId), (row[0], row[^1])));
        double left = (double)noisy.Sum(row => row.Length - 2) / Rows.Sum(row => row.Length - 2);
        Assert.InRange(left, 0.65, 0.75); // of 2,600 tokens: more than five standard errors
    }

    [Fact]
    public void Masking_keeps_lengths_and_hides_its_share()
    {
        int[][] noisy = new Augmentation(new TrainingOptions { TokenMasking = 0.5 }, Tokenizer).On(Rows, step: 1, batch: 0);

        Assert.Equal(Rows.Select(row => row.Length), noisy.Select(row => row.Length));
        double hidden = (double)noisy.Sum(row => row.Count(id => id == Tokenizer.MaskId)) / Rows.Sum(row => row.Length - 2);
        Assert.InRange(hidden, 0.34, 0.46); // eight of ten of a half
    }

    [Fact]
    public void It_is_a_function_of_seed_and_step_and_without_options_nothing_changes()
    {
        var options = new TrainingOptions { TokenDropout = 0.2, TokenMasking = 0.2 };
        int[][] once = new Augmentation(options, Tokenizer).On(Rows, step: 3, batch: 1);

        Assert.Equal(once, new Augmentation(options, Tokenizer).On(Rows, step: 3, batch: 1));
        Assert.NotEqual(once, new Augmentation(options, Tokenizer).On(Rows, step: 4, batch: 1));
        Assert.NotEqual(once, new Augmentation(options with { Seed = 1 }, Tokenizer).On(Rows, step: 3, batch: 1));
        Assert.Same(Rows, new Augmentation(new TrainingOptions(), Tokenizer).On(Rows, step: 3, batch: 1));
    }

    [Fact]
    public void Neighbours_get_their_share_of_a_star_and_the_loss_is_that_of_the_soft_target()
    {
        using var scope = TorchSharp.torch.NewDisposeScope();
        using var loss =
            new TrainingLoss(new TrainingOptions { OrdinalLabelSmoothing = 0.2, LabelSmoothing = 0.1 }, [0, 1], 5, TorchSharp.torch.CPU);

        double[] middle = loss.SoftTarget(2, 5), end = loss.SoftTarget(0, 5);
        Assert.All(new[] { 0.02, 0.12, 0.72, 0.12, 0.02 }.Zip(middle), pair => Assert.Equal(pair.First, pair.Second, 1e-12));
        Assert.All(new[] { 0.72, 0.22, 0.02, 0.02, 0.02 }.Zip(end), pair => Assert.Equal(pair.First, pair.Second, 1e-12));

        double[] logits = [1, 2, 3, 4, 5];
        double expected = -logits.Zip(middle, (logit, share) => share * (logit - Math.Log(logits.Sum(Math.Exp)))).Sum();
        Assert.Equal(expected, loss.SumOf(TorchSharp.torch.tensor(logits, TorchSharp.torch.float32).unsqueeze(0), [2]).item<float>(), 1e-5);
    }
}
