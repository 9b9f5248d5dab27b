using ServerlessBert.Modeling.Inference;

namespace ServerlessBert.Modeling.Training;

/// <summary>
/// Trained models whose opinion of the rows is learned along with the labels: knowledge distillation (Hinton et al. 2015,
/// arXiv:1503.02531). A large model teaches a small one that is quick; several of different seeds teach one what they agree
/// on. A teacher may have any shape and vocabulary, since it reads the text with its own tokenizer, but needs the labels of
/// what it teaches.
/// </summary>
public static class Distillation
{
    // Of a view's words, where it leaves out most: with half of them a review is still about what it was about.
    private const double MostLeftOut = 0.5;

    // Float32, not what a measurement finds fastest: a training that is resumed must be taught the same to the bit.
    private static readonly InferenceOptions Options = new() { Dtype = InferenceDtype.Float32 };

    /// <summary>
    /// Several views of each row: the row as it is, and copies with words left out, others and more or fewer in each. What
    /// teachers make of a text that they have learned is hardly more than its rating; of texts that nobody wrote they say
    /// how they judge (Beyer et al. 2021, "Knowledge distillation: a good teacher is patient and consistent", arXiv:2106.05237).
    /// </summary>
    /// <param name="rows">Rows to learn from.</param>
    /// <param name="views">How many of each; 1 gives the rows as they are.</param>
    /// <param name="seed">The same seed leaves out the same words.</param>
    public static IReadOnlyList<LabelledReview> Views(IReadOnlyList<LabelledReview> rows, int views, int seed)
    {
        if (views <= 1) return rows;
        var random = new Random(seed);
        return [.. rows,
            .. Enumerable.Range(1, views - 1).SelectMany(_ => rows.Select(row => row with { Text = WithoutSomeWords(row.Text, random) }))];
    }

    private static string WithoutSomeWords(string text, Random random)
    {
        double rate = random.NextDouble() * MostLeftOut;
        return string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Where(_ => random.NextDouble() >= rate));
    }

    /// <summary>
    /// The rows with the mean of the teachers' probabilities, each calibrated where it has a temperature: one pass over the rows
    /// for each teacher, before the training.
    /// </summary>
    /// <param name="folders">The teachers' checkpoint folders; none leaves the rows as they are.</param>
    /// <param name="rows">Rows to learn from.</param>
    /// <param name="remark">Told of each teacher.</param>
    /// <param name="cancellationToken">Stops between passes.</param>
    /// <exception cref="TrainingException">A teacher cannot be loaded, or tells other labels apart than the others.</exception>
    public static IReadOnlyList<LabelledReview> Teach(
        IReadOnlyList<string> folders, IReadOnlyList<LabelledReview> rows, Action<string>? remark = null,
            CancellationToken cancellationToken = default)
    {
        if (folders.Count == 0 || rows.Count == 0) return rows;
        string[] texts = [.. rows.Select(row => row.Text)];
        float[][]? sums = null;
        foreach (string folder in folders)
        {
            float[][] probabilities = ProbabilitiesOf(folder, texts, cancellationToken);
            int right = rows.Where((row, index) => Array.IndexOf(probabilities[index], probabilities[index].Max()) == row.Label).Count();
            remark?.Invoke(FormattableString.Invariant(
                $"teacher {folder}: right about {(double)right / rows.Count:0.0 %} of the {rows.Count:N0} rows to learn from"));
            if (sums is not null && sums[0].Length != probabilities[0].Length)
                throw new TrainingException(
                    $"The teacher {folder} tells {probabilities[0].Length} labels apart, but {folders[0]} {sums[0].Length}; "
                        + $"teachers need the same labels.");
            sums = sums is null ? probabilities
                : [.. sums.Zip(probabilities, (sum, more) => sum.Zip(more, (left, right) => left + right).ToArray())];
        }
        return [.. rows.Zip(sums!, (row, sum) => row with { Taught = [.. sum.Select(value => value / folders.Count)] })];
    }

    private static float[][] ProbabilitiesOf(string folder, IReadOnlyList<string> texts, CancellationToken cancellationToken)
    {
        try
        {
            using ReviewClassifier teacher = ReviewClassifier.Load(folder, Options);
            return [.. teacher.Classify(texts, cancellationToken).Select(classification => classification.Probabilities)];
        }
        catch (Exception exception) when (exception is IOException or InvalidDataException or CheckpointException)
        {
            throw new TrainingException($"The teacher {folder} cannot be loaded: {exception.Message}", exception);
        }
    }
}
