using ServerlessBert.Modeling;

namespace ServerlessBert.Trainer;

/// <summary>What the trained model says of the held-out rows, kept beside it so that later predictions can be compared with it.</summary>
internal static class EvaluationBaseline
{
    // Enough for a mix of five ratings to be known to two points, and under a minute of bert-base on a CPU.
    private const int MostRows = 1000;

    /// <summary>Classifies held-out rows as the hosts will, and writes baseline.json; nothing where there are none.</summary>
    /// <param name="heldOut">The rows; of many, some spread evenly over them are taken.</param>
    /// <param name="folder">The saved checkpoint.</param>
    public static void Save(IReadOnlyList<LabelledReview> heldOut, string folder)
    {
        int rows = Math.Min(heldOut.Count, MostRows);
        if (rows == 0) return;
        using var classifier = ReviewClassifier.Load(folder, new InferenceOptions { Dtype = InferenceDtype.Float32 });
        string[] texts = [.. Enumerable.Range(0, rows).Select(row => heldOut[(int)((long)row * heldOut.Count / rows)].Text)];
        PredictionProfile.Of(classifier.Classify(texts)).Save(folder);
    }
}
