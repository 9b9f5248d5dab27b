using static TorchSharp.torch;

namespace ServerlessBert.Modeling.Evaluation;

/// <summary>How good a classifier is on labelled rows.</summary>
public sealed record EvaluationMetrics
{
    /// <summary>Rows evaluated.</summary>
    public required long Rows { get; init; }

    /// <summary>Mean cross-entropy, in nats.</summary>
    public required double Loss { get; init; }

    /// <summary>Share of rows whose most probable rating is the actual one.</summary>
    public required double Accuracy { get; init; }

    /// <summary>Lower end of accuracy's 95 % Wilson score interval.</summary>
    public required double AccuracyLow { get; init; }

    /// <summary>Upper end of accuracy's 95 % Wilson score interval.</summary>
    public required double AccuracyHigh { get; init; }

    /// <summary>Mean of the labels' F1.</summary>
    public required double MacroF1 { get; init; }

    /// <summary>Mean of |predicted - actual|, in stars.</summary>
    public required double MeanAbsoluteError { get; init; }

    /// <summary>Share of rows at most one star off.</summary>
    public required double WithinOne { get; init; }

    /// <summary>
    /// Expected calibration error: mean over confidence bins of |accuracy - confidence|, weighted by rows
    /// (<see cref="CalibrationBin"/>).
    /// </summary>
    public required double CalibrationError { get; init; }

    /// <summary>Rows by [actual][predicted] label.</summary>
    public required long[][] Confusion { get; init; }

    /// <summary>Measures classifications against labels.</summary>
    /// <param name="labels">Actual labels from 0, [rows].</param>
    /// <param name="probabilities">Predicted probabilities, [rows][labels].</param>
    /// <exception cref="ArgumentException">The two are empty, or not of one length.</exception>
    public static EvaluationMetrics Of(IReadOnlyList<int> labels, IReadOnlyList<float[]> probabilities)
    {
        if (labels.Count == 0 || labels.Count != probabilities.Count)
            throw new ArgumentException(
                $"Metrics need as many predictions as labels and at least one; there are {probabilities.Count} and {labels.Count}.");

        var confusion = new ConfusionMatrix(probabilities[0].Length);
        double loss = 0;
        for (int row = 0; row < labels.Count; row++)
        {
            float confidence = probabilities[row].Max();
            int predicted = Array.IndexOf(probabilities[row], confidence);
            confusion.Add(labels[row], predicted);
            loss -= Math.Log(Math.Max(probabilities[row][labels[row]], float.Epsilon));
        }

        double accuracy = (double)confusion.Within(0) / labels.Count;
        (double low, double high) = WilsonInterval(accuracy, labels.Count);
        return new EvaluationMetrics
        {
            Rows = labels.Count,
            Loss = loss / labels.Count,
            Accuracy = accuracy,
            AccuracyLow = low,
            AccuracyHigh = high,
            MacroF1 = Enumerable.Range(0, confusion.Labels).Average(confusion.F1),
            MeanAbsoluteError = confusion.MeanAbsoluteError,
            WithinOne = (double)confusion.Within(1) / labels.Count,
            CalibrationError = CalibrationBin.Error(CalibrationBin.Of(labels, probabilities)),
            Confusion = confusion.ToArrays(),
        };
    }

    /// <summary>Measures a model's logits against labels.</summary>
    /// <param name="labels">Actual labels from 0, [rows], int64.</param>
    /// <param name="logits">What the model gave, [rows, labels]; batches are put together with <c>torch.cat</c>.</param>
    /// <exception cref="ArgumentException">The two are empty, or not of one length.</exception>
    public static EvaluationMetrics FromLogits(Tensor labels, Tensor logits)
    {
        using var scope = NewDisposeScope();
        Tensor probabilities = logits.detach().to(float32).cpu().softmax(-1);    // [rows, labels]
        int[] actual = [.. labels.cpu().data<long>().ToArray().Select(label => (int)label)];
        float[] all = probabilities.contiguous().view(-1).data<float>().ToArray();
        return Of(actual, [.. all.Chunk((int)probabilities.size(-1))]);
    }

    /// <summary>The 95 % score interval of a share (Wilson 1927): it stays inside 0 to 1, also for few rows.</summary>
    /// <param name="share">The observed share.</param>
    /// <param name="rows">Rows it was observed on.</param>
    public static (double Low, double High) WilsonInterval(double share, long rows)
    {
        const double z = 1.959964; // the normal distribution's 97.5 % quantile
        double denominator = 1 + z * z / rows;
        double center = (share + z * z / (2 * rows)) / denominator;
        double half = z * Math.Sqrt(share * (1 - share) / rows + z * z / (4.0 * rows * rows)) / denominator;
        return (Math.Max(0, center - half), Math.Min(1, center + half));
    }
}

/// <summary>Counts by actual and predicted label.</summary>
public sealed class ConfusionMatrix
{
    private readonly long[,] counts;

    /// <summary>An empty matrix.</summary>
    /// <param name="labels">How many labels there are.</param>
    public ConfusionMatrix(int labels) => counts = new long[labels, labels];

    /// <summary>How many labels there are.</summary>
    public int Labels => counts.GetLength(0);

    /// <summary>Rows with this actual and this predicted label.</summary>
    public long this[int actual, int predicted] => counts[actual, predicted];

    /// <summary>Counts one row.</summary>
    public void Add(int actual, int predicted) => counts[actual, predicted]++;

    /// <summary>All rows.</summary>
    public long Total => counts.Cast<long>().Sum();

    /// <summary>Rows whose prediction is at most <paramref name="distance"/> labels off.</summary>
    public long Within(int distance) => Cells().Where(cell => Math.Abs(cell.Actual - cell.Predicted) <= distance).Sum(cell => cell.Count);

    /// <summary>Mean of |predicted - actual|, in labels (stars).</summary>
    public double MeanAbsoluteError =>
        Total == 0 ? 0 : Cells().Sum(cell => Math.Abs(cell.Actual - cell.Predicted) * (double)cell.Count) / Total;

    /// <summary>F1 of one label: 2 TP / (2 TP + FP + FN); 0 where the label neither occurs nor is predicted.</summary>
    public double F1(int label)
    {
        long truePositives = counts[label, label];
        long actual = Enumerable.Range(0, Labels).Sum(other => counts[label, other]);
        long predicted = Enumerable.Range(0, Labels).Sum(other => counts[other, label]);
        return actual + predicted == 0 ? 0 : 2.0 * truePositives / (actual + predicted);
    }

    /// <summary>The counts as rows: [actual][predicted].</summary>
    public long[][] ToArrays() =>
        [.. Enumerable.Range(0, Labels)
            .Select(actual => Enumerable.Range(0, Labels).Select(predicted => counts[actual, predicted]).ToArray())];

    private IEnumerable<(int Actual, int Predicted, long Count)> Cells() =>
        from actual in Enumerable.Range(0, Labels)
        from predicted in Enumerable.Range(0, Labels)
        select (actual, predicted, counts[actual, predicted]);
}
