using System.Buffers;
using ServerlessBert.Modeling;
using ServerlessBert.Pipeline.Reviews;

namespace ServerlessBert.Pipeline.Predictions;

/// <summary>Writes predictions as JSON Lines, the same bytes for the same prediction.</summary>
public static class PredictionWriter
{
    /// <summary>Appends one line: a prediction, or the row's error.</summary>
    public static void Write(IBufferWriter<byte> output, Review review, Classification? classification, string model) => throw new NotImplementedException();
}
