namespace ServerlessBert.Modeling;

/// <summary>The predictions whose confidence lies in one of ten equal ranges, as is usual for calibration (Guo et al. 2017, arXiv:1706.04599).</summary>
/// <param name="Rows">How many.</param>
/// <param name="Accuracy">The share of them that is right; 0 where there are none.</param>
/// <param name="Confidence">Their mean confidence; 0 where there are none.</param>
public sealed record CalibrationBin(long Rows, double Accuracy, double Confidence)
{
    private const int Bins = 10;

    /// <summary>Sorts predictions into bins.</summary>
    /// <param name="labels">Actual labels from 0, [rows].</param>
    /// <param name="probabilities">Predicted probabilities, [rows][labels].</param>
    /// <returns>Ten bins, from confidence 0 to 1.</returns>
    public static IReadOnlyList<CalibrationBin> Of(IReadOnlyList<int> labels, IReadOnlyList<float[]> probabilities)
    {
        var sums = new (long Rows, long Right, double Confidence)[Bins];
        for (int row = 0; row < labels.Count; row++)
        {
            float confidence = probabilities[row].Max();
            bool isRight = Array.IndexOf(probabilities[row], confidence) == labels[row];
            ref var sum = ref sums[Math.Min(Bins - 1, (int)(confidence * Bins))];
            sum = (sum.Rows + 1, sum.Right + (isRight ? 1 : 0), sum.Confidence + confidence);
        }
        return [.. sums.Select(sum => sum.Rows == 0 ? new CalibrationBin(0, 0, 0) : new CalibrationBin(sum.Rows, (double)sum.Right / sum.Rows, sum.Confidence / sum.Rows))];
    }

    /// <summary>Expected calibration error: mean over the bins of |accuracy - confidence|, weighted by rows; 0 without rows.</summary>
    public static double Error(IReadOnlyList<CalibrationBin> bins)
    {
        long rows = bins.Sum(bin => bin.Rows);
        return rows == 0 ? 0 : bins.Sum(bin => bin.Rows * Math.Abs(bin.Accuracy - bin.Confidence)) / rows;
    }
}
