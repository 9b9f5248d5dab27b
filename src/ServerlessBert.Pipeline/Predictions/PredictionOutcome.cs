using ServerlessBert.Modeling;
using ServerlessBert.Pipeline.Reviews;

namespace ServerlessBert.Pipeline.Predictions;

/// <summary>What a row's line says, in one place for the line and for the counts.</summary>
internal static class PredictionOutcome
{
    /// <summary>The row's error, or null when it has a prediction.</summary>
    /// <exception cref="ArgumentException">It has neither.</exception>
    public static RowError? ErrorOf(Review review, Classification? classification)
    {
        if (review.Error is not null) return review.Error;
        if (classification is null)
            throw new ArgumentException($"Row {review.Row} has neither a classification nor an error; give one of them.", nameof(classification));
        return classification.Probabilities.All(float.IsFinite)
            ? null
            : new RowError("not_finite", $"Row {review.Row} got a probability from the model that is no number; check the model's weights with 'sbert models verify', or roll back.");
    }

    /// <summary>Four decimals.</summary>
    public static decimal Round(float value) => WithoutZeros(Math.Round((decimal)value, 4));

    /// <summary>A mean with four decimals; null of nothing.</summary>
    public static decimal? Mean(decimal sum, long count) => count == 0 ? null : WithoutZeros(Math.Round(sum / count, 4));

    /// <summary>The same number without zeros at its end, so that equal numbers are written equally: a decimal remembers 1.50.</summary>
    public static decimal WithoutZeros(decimal value) => value / 1.0000000000000000000000000000m;
}
