using System.Text.Json;
using ServerlessBert.Modeling.Inference;

namespace ServerlessBert.Modeling.Evaluation;

/// <summary>
/// How calibration.json of a checkpoint folder comes to be: the temperature by which logits are divided before the softmax, so that
/// confidence is the share of right predictions. It changes no prediction, only how sure it is
/// (Guo et al. 2017, arXiv:1706.04599, section 4.2).
/// </summary>
public sealed record Calibration
{
    /// <summary>The file's name in a checkpoint folder.</summary>
    public const string FileName = CalibrationTemperature.FileName;

    // Outside of these no temperature is fitted: such a model is all sure or all unsure, and rows are too few to tell how much.
    private const double Lowest = 0.05, Highest = 20;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    /// <summary>What logits are divided by; above 1 for a model that is too sure.</summary>
    public required double Temperature { get; init; }

    /// <summary>Held-out rows it was fitted on.</summary>
    public required long Rows { get; init; }

    /// <summary>Expected calibration error without it.</summary>
    public required double ErrorBefore { get; init; }

    /// <summary>
    /// Expected calibration error with it; each half of the rows by the temperature of the other half, so that it is not measured
    /// on what it was fitted to.
    /// </summary>
    public required double ErrorAfter { get; init; }

    /// <summary>Mean cross-entropy without it, in nats.</summary>
    public required double LossBefore { get; init; }

    /// <summary>Mean cross-entropy with it, measured as <see cref="ErrorAfter"/> is.</summary>
    public required double LossAfter { get; init; }

    /// <summary>Fits the temperature of the least cross-entropy.</summary>
    /// <param name="labels">Actual labels from 0, [rows]; at least one.</param>
    /// <param name="probabilities">The model's own probabilities, [rows][labels].</param>
    public static Calibration Fit(IReadOnlyList<int> labels, IReadOnlyList<float[]> probabilities)
    {
        int[] all = [.. Enumerable.Range(0, labels.Count)];
        double[] ofHalf =
            [.. Enumerable.Range(0, 2).Select(half => TemperatureOf(labels, probabilities, [.. all.Where(row => row % 2 == half)]))];
        float[][] crossed = [.. all.Select(row => At(probabilities[row], ofHalf[1 - row % 2]))];
        EvaluationMetrics before = EvaluationMetrics.Of(labels, probabilities), after = EvaluationMetrics.Of(labels, crossed);
        return new Calibration
        {
            Temperature = TemperatureOf(labels, probabilities, all),
            Rows = labels.Count,
            ErrorBefore = before.CalibrationError,
            ErrorAfter = after.CalibrationError,
            LossBefore = before.Loss,
            LossAfter = after.Loss,
        };
    }

    /// <summary>Probabilities as they are at another temperature: log p are logits, up to a constant that the softmax takes out.</summary>
    public static float[] At(IReadOnlyList<float> probabilities, double temperature)
    {
        double[] scaled = [.. probabilities.Select(p => LogOf(p) / temperature)];
        double most = scaled.Max(), sum = scaled.Sum(each => Math.Exp(each - most));
        return [.. scaled.Select(each => (float)(Math.Exp(each - most) / sum))];
    }

    /// <summary>Writes calibration.json.</summary>
    public void Save(string folder) => File.WriteAllText(Path.Combine(folder, FileName), JsonSerializer.Serialize(this, Json));

    // Cross-entropy is convex in 1/T, so it has one valley over log T too: golden-section search.
    private static double TemperatureOf(IReadOnlyList<int> labels, IReadOnlyList<float[]> probabilities, int[] rows)
    {
        if (rows.Length == 0) return 1;
        double[][] logs = [.. rows.Select(row => probabilities[row].Select(p => LogOf(p)).ToArray())];
        double LossAt(double logTemperature) =>
            rows.Index().Average(each => LossOf(logs[each.Index], labels[each.Item], Math.Exp(logTemperature)));

        double golden = (Math.Sqrt(5) - 1) / 2;
        double low = Math.Log(Lowest), high = Math.Log(Highest);
        double left = high - golden * (high - low), right = low + golden * (high - low);
        double lossLeft = LossAt(left), lossRight = LossAt(right);
        while (high - low > 1e-6)
        {
            if (lossLeft <= lossRight)
            {
                (high, right, lossRight) = (right, left, lossLeft);
                lossLeft = LossAt(left = high - golden * (high - low));
            }
            else
            {
                (low, left, lossLeft) = (left, right, lossRight);
                lossRight = LossAt(right = low + golden * (high - low));
            }
        }
        return Math.Exp((low + high) / 2);
    }

    private static double LossOf(double[] logits, int label, double temperature)
    {
        double most = logits.Max() / temperature;
        return most + Math.Log(logits.Sum(logit => Math.Exp(logit / temperature - most))) - logits[label] / temperature;
    }

    // A probability that underflowed has no logarithm; the smallest float's stands for it.
    private static double LogOf(float probability) => Math.Log(Math.Max(probability, float.Epsilon));
}

/// <summary>
/// The predictions whose confidence lies in one of ten equal ranges, as is usual for calibration (Guo et al. 2017,
/// arXiv:1706.04599).
/// </summary>
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
        return [.. sums.Select(
            sum => sum.Rows == 0 ? new CalibrationBin(0, 0, 0)
            : new CalibrationBin(sum.Rows, (double)sum.Right / sum.Rows, sum.Confidence / sum.Rows))];
    }

    /// <summary>Expected calibration error: mean over the bins of |accuracy - confidence|, weighted by rows; 0 without rows.</summary>
    public static double Error(IReadOnlyList<CalibrationBin> bins)
    {
        long rows = bins.Sum(bin => bin.Rows);
        return rows == 0 ? 0 : bins.Sum(bin => bin.Rows * Math.Abs(bin.Accuracy - bin.Confidence)) / rows;
    }
}
