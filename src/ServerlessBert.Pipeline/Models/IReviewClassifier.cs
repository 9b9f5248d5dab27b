using ServerlessBert.Modeling;

namespace ServerlessBert.Pipeline.Models;

/// <summary>What the cache holds of a model. One caller at a time.</summary>
public interface IReviewClassifier : IDisposable
{
    /// <summary>Classifies texts; the result is in their order.</summary>
    IReadOnlyList<Classification> Classify(IReadOnlyList<string> texts, CancellationToken cancellationToken = default);
}

/// <summary>A checkpoint folder's classifier.</summary>
/// <param name="classifier">The classifier; freed with this.</param>
public sealed class CheckpointClassifier(ReviewClassifier classifier) : IReviewClassifier
{
    /// <inheritdoc/>
    public IReadOnlyList<Classification> Classify(IReadOnlyList<string> texts, CancellationToken cancellationToken = default) => classifier.Classify(texts, cancellationToken);

    /// <inheritdoc/>
    public void Dispose() => classifier.Dispose();
}
