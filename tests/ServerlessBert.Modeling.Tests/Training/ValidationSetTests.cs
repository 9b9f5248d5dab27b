using ServerlessBert.Modeling.Checkpoints;
using ServerlessBert.Modeling.Evaluation;
using ServerlessBert.Modeling.Training;
using ServerlessBert.Testing;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling.Tests.Training;

public class ValidationSetTests
{
    [Theory]
    [InlineData(40)]
    [InlineData(64)]
    [InlineData(2048)]
    public void Rows_that_fill_no_whole_number_of_batches_are_measured_as_they_are_one_by_one(int tokenBudget)
    {
        using Checkpoint checkpoint = SmallModels.Create();
        var rows = EncodedReviews.Of(SmallModels.Reviews(103, seed: 5), checkpoint.Tokenizer, maxLength: 64);
        float[][] alone = [.. Enumerable.Range(0, rows.Count)
            .SelectMany(row =>
                new ValidationSet(new EncodedReviews([rows.Ids[row]], [rows.Labels[row]]), checkpoint, CPU).Probabilities())];

        var heldOut = new ValidationSet(rows, checkpoint, CPU, tokenBudget);
        float[][] together = heldOut.Probabilities();

        foreach (var (one, other) in alone.Zip(together))
            Assert.All(one.Zip(other), pair => Assert.Equal(pair.First, pair.Second, 1e-5f));
        EvaluationMetrics expected = EvaluationMetrics.Of(rows.Labels, alone), actual = heldOut.MetricsOf(together);
        Assert.Equal((103, expected.Accuracy, expected.MacroF1), (actual.Rows, actual.Accuracy, actual.MacroF1));
        Assert.Equal(expected.Loss, actual.Loss, 1e-5);
    }
}
