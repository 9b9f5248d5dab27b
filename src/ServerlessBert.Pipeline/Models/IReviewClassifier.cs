using ServerlessBert.Modeling;

namespace ServerlessBert.Pipeline.Models;

/// <summary>What the cache holds of a model.</summary>
public interface IReviewClassifier : IDisposable
{
    /// <summary>Tokenizes texts; any number of callers at once, also while another classifies.</summary>
    IReadOnlyList<EncodedText> Tokenize(IReadOnlyList<string> texts);

    /// <summary>Classifies what <see cref="Tokenize"/> gave; the result is in its order. One caller at a time.</summary>
    IReadOnlyList<Classification> Classify(IReadOnlyList<EncodedText> texts, CancellationToken cancellationToken = default);
}

/// <summary>A checkpoint folder's classifier.</summary>
/// <param name="classifier">The classifier; freed with this.</param>
public sealed class CheckpointClassifier(ReviewClassifier classifier) : IReviewClassifier
{
    /// <inheritdoc/>
    public IReadOnlyList<EncodedText> Tokenize(IReadOnlyList<string> texts) => classifier.Tokenize(texts);

    /// <inheritdoc/>
    public IReadOnlyList<Classification> Classify(IReadOnlyList<EncodedText> texts, CancellationToken cancellationToken = default) => classifier.Classify(texts, cancellationToken);

    /// <inheritdoc/>
    public void Dispose() => classifier.Dispose();
}
