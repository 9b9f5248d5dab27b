namespace ServerlessBert.Modeling;

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
    public double MeanAbsoluteError => Total == 0 ? 0 : Cells().Sum(cell => Math.Abs(cell.Actual - cell.Predicted) * (double)cell.Count) / Total;

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
        [.. Enumerable.Range(0, Labels).Select(actual => Enumerable.Range(0, Labels).Select(predicted => counts[actual, predicted]).ToArray())];

    private IEnumerable<(int Actual, int Predicted, long Count)> Cells() =>
        from actual in Enumerable.Range(0, Labels)
        from predicted in Enumerable.Range(0, Labels)
        select (actual, predicted, counts[actual, predicted]);
}
