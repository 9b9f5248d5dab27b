using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using ServerlessBert.Modeling.Inference;
using ServerlessBert.Reviews;

namespace ServerlessBert.Pipeline.Predictions;

/// <summary>Writes predictions as JSON Lines, the same bytes for the same prediction.</summary>
public static class PredictionWriter
{
    // The relaxed escapes keep é and 好 readable. The strict ones guard HTML that JSON is pasted into; this is a file.
    private static readonly JsonWriterOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Appends one line: a prediction, or the row's error.</summary>
    /// <remarks>
    /// Probabilities have four decimals: more are noise (number types and processors differ in the fourth to seventh),
    /// they would double a line's bytes, and would make two runs of one file differ.
    /// </remarks>
    /// <param name="output">Where the line goes, ended by <c>\n</c>.</param>
    /// <param name="review">The row.</param>
    /// <param name="classification">What the model said; not looked at when the review has an error.</param>
    /// <param name="model">The version of the model that said it.</param>
    /// <exception cref="ArgumentException">A review without an error has no classification.</exception>
    public static void Write(IBufferWriter<byte> output, Review review, Classification? classification, string model)
    {
        using (var json = new Utf8JsonWriter(output, Json))
        {
            json.WriteStartObject();
            json.WriteNumber("row"u8, review.Row);
            if (review.Id is not null) json.WriteString("id"u8, review.Id);
            if (PredictionOutcome.ErrorOf(review, classification) is { } error) WriteError(json, error);
            else WritePrediction(json, classification!, model);
            json.WriteEndObject();
        }
        output.Write("\n"u8);
    }

    private static void WriteError(Utf8JsonWriter json, RowError error)
    {
        json.WriteStartObject("error"u8);
        json.WriteString("code"u8, error.Code);
        json.WriteString("message"u8, error.Message);
        json.WriteEndObject();
    }

    private static void WritePrediction(Utf8JsonWriter json, Classification classification, string model)
    {
        if (classification.Labels.IsScale) WriteStars(json, classification);
        else WriteLabel(json, classification);
        json.WriteString("model"u8, model);
    }

    private static void WriteStars(Utf8JsonWriter json, Classification classification)
    {
        json.WriteNumber("stars"u8, classification.Stars);
        json.WriteNumber("confidence"u8, PredictionOutcome.Round(classification.Confidence));
        json.WriteNumber("expectedStars"u8, PredictionOutcome.Round(classification.ExpectedStars));
        json.WriteStartArray("probabilities"u8);
        foreach (float probability in classification.Probabilities) json.WriteNumberValue(PredictionOutcome.Round(probability));
        json.WriteEndArray();
    }

    private static void WriteLabel(Utf8JsonWriter json, Classification classification)
    {
        json.WriteString("label"u8, classification.Label);
        json.WriteNumber("confidence"u8, PredictionOutcome.Round(classification.Confidence));
        json.WriteStartObject("probabilities"u8);
        foreach (var (name, probability) in classification.Labels.Names.Zip(classification.Probabilities))
            json.WriteNumber(name, PredictionOutcome.Round(probability));
        json.WriteEndObject();
    }
}

/// <summary>What a row's line says, in one place for the line and for the counts.</summary>
internal static class PredictionOutcome
{
    /// <summary>The row's error, or null when it has a prediction.</summary>
    /// <exception cref="ArgumentException">It has neither.</exception>
    public static RowError? ErrorOf(Review review, Classification? classification)
    {
        if (review.Error is not null) return review.Error;
        if (classification is null)
            throw new ArgumentException($"Row {review.Row} has neither a classification nor an error; give one of them.",
                nameof(classification));
        return classification.Probabilities.All(float.IsFinite)
            ? null
            : new RowError("not_finite",
                $"Row {review.Row} got a probability from the model that is no number; check the model's weights with 'sbert models "
                    + "verify', or roll back.");
    }

    /// <summary>Four decimals.</summary>
    public static decimal Round(float value) => WithoutZeros(Math.Round((decimal)value, 4));

    /// <summary>A mean with four decimals; null of nothing.</summary>
    public static decimal? Mean(decimal sum, long count) => count == 0 ? null : WithoutZeros(Math.Round(sum / count, 4));

    /// <summary>The same number without zeros at its end, so that equal numbers are written equally: a decimal remembers 1.50.</summary>
    public static decimal WithoutZeros(decimal value) => value / 1.0000000000000000000000000000m;
}
