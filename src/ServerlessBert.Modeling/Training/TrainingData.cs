namespace ServerlessBert.Modeling;

/// <summary>What must hold of rows before anything is learned from them.</summary>
internal static class TrainingData
{
    /// <summary>Throws where a training cannot come to anything, saying why.</summary>
    /// <exception cref="TrainingException">No rows, one label only, a label out of range, teachers of other labels, or settings that need held-out rows without any.</exception>
    public static void Check(IReadOnlyList<LabelledReview> train, IReadOnlyList<LabelledReview> evaluation, int labels, TrainingOptions options)
    {
        if (train.Count == 0) throw new TrainingException("There is no labelled review to learn from.");
        if (train.Concat(evaluation).FirstOrDefault(review => review.Label < 0 || review.Label >= labels) is { } outOfRange)
            throw new TrainingException($"A label is {outOfRange.Label}, but the model has labels 0 to {labels - 1} (1 to {labels} stars).");
        if (train.FirstOrDefault(review => review.Taught is { } taught && taught.Count != labels) is { } mistaught)
            throw new TrainingException($"The teachers tell {mistaught.Taught!.Count} labels apart, but the model has {labels}; a teacher needs the labels of what it teaches.");
        if (train.DistinctBy(review => review.Label).Count() == 1)
            throw new TrainingException($"All {train.Count} reviews to learn from have {train[0].Label + 1} stars; there must be at least two ratings to tell apart.");
        if (evaluation.Count == 0 && (options.Patience ?? options.EvaluateEvery) is not null)
            throw new TrainingException($"{(options.Patience is null ? nameof(options.EvaluateEvery) : nameof(options.Patience))} needs rows to measure on, and none are held out; hold some out, or leave it away.");
    }
}
