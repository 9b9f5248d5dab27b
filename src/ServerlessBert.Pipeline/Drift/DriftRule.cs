using System.Globalization;
using ServerlessBert.Modeling.Evaluation;
using ServerlessBert.Pipeline.Predictions;

namespace ServerlessBert.Pipeline.Drift;

/// <summary>
/// Compares a file's predictions with the baseline. A flag needs both: a shift that matters (<see cref="DriftOptions"/>),
/// and one that chance makes in fewer than a file in a thousand.
/// </summary>
public static class DriftRule
{
    // The 99.9 % quantiles of the chi-square distribution by degrees of freedom, 1 to 9, and the normal distribution's two-sided one.
    private static readonly double[] ChiSquare = [10.828, 13.816, 16.266, 18.467, 20.515, 22.458, 24.322, 26.124, 27.877];
    private const double Normal = 3.291;

    /// <summary>Compares.</summary>
    /// <param name="statistics">The file's counts.</param>
    /// <param name="baseline">The predictions on the evaluation set.</param>
    /// <param name="options">The thresholds.</param>
    public static DriftReport Compare(BatchStatistics statistics, PredictionBaseline baseline, DriftOptions options)
    {
        long rows = statistics.Predictions;
        if (rows < options.MinRows || baseline.Rows < options.MinRows)
        {
            return new DriftReport
            {
                BaselineRows = baseline.Rows,
                Flags = [],
                Reason = Invariant($"{rows} predicted rows beside {baseline.Rows} of the evaluation set are too few to compare; ")
                    + Invariant($"{options.MinRows} of each are needed."),
            };
        }

        long[] stars = [.. Enumerable.Range(1, baseline.Stars.Count).Select(star => statistics.Stars.GetValueOrDefault(star))];
        double index = StabilityIndex(stars, baseline.Stars);
        double confidence = (double)statistics.ConfidenceSum / rows - baseline.MeanConfidence;
        double unknown = Share(statistics.UnknownTokens, statistics.Tokens) - Share(baseline.UnknownTokens, baseline.Tokens);
        double perRow = 1.0 / rows + 1.0 / baseline.Rows;

        var flags = new List<(string Name, string Reason)>();
        if (index > options.StarsIndex && index > ChiSquare[Math.Min(baseline.Stars.Count - 1, ChiSquare.Length) - 1] * perRow)
            flags.Add(("stars", Invariant($"the star mix has a population stability index of {index:0.00} (above {options.StarsIndex})")));
        if (Math.Abs(confidence) > options.Confidence && Math.Abs(confidence) > Normal * baseline.ConfidenceDeviation * Math.Sqrt(perRow))
        {
            string direction = confidence < 0 ? "lower" : "higher";
            flags.Add(("confidence",
                Invariant($"the mean confidence is {Math.Abs(confidence):0.00} {direction} (more than {options.Confidence})")));
        }
        if (unknown > options.UnknownShare)
            flags.Add(("unknownTokens", Invariant($"{unknown:P1} more of the tokens are unknown (more than {options.UnknownShare:P1})")));
        return new DriftReport
        {
            BaselineRows = baseline.Rows,
            Flags = [.. flags.Select(flag => flag.Name)],
            Reason = flags.Count == 0 ? null
                : $"Beside the model's evaluation set, {string.Join(", and ", flags.Select(flag => flag.Reason))}.",
            StarsIndex = Rounded(index),
            ConfidenceShift = Rounded(confidence),
            UnknownShareShift = Rounded(unknown),
        };
    }

    /// <summary>
    /// The population stability index, sum of (p - q) ln(p / q): the symmetric Kullback-Leibler divergence of two mixes.
    /// Without a change, divided by 1/n + 1/m, it has the chi-square distribution (Yurdakul and Naranjo 2020). Half a row
    /// is added to each count, so that a rating that one side lacks does not make it infinite.
    /// </summary>
    public static double StabilityIndex(IReadOnlyList<long> counts, IReadOnlyList<long> baseline)
    {
        double rows = counts.Sum() + counts.Count / 2.0, baselineRows = baseline.Sum() + baseline.Count / 2.0;
        return counts.Zip(baseline).Sum(pair =>
        {
            double p = (pair.First + 0.5) / rows, q = (pair.Second + 0.5) / baselineRows;
            return (p - q) * Math.Log(p / q);
        });
    }

    private static double Share(long part, long whole) => whole == 0 ? 0 : (double)part / whole;

    private static decimal Rounded(double value) => PredictionOutcome.WithoutZeros(Math.Round((decimal)value, 4));

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
