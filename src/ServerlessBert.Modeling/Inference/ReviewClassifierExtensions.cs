using System.Runtime.CompilerServices;
using Microsoft.Extensions.DependencyInjection;

namespace ServerlessBert.Modeling.Inference;

/// <summary>A classifier over a stream of texts, and as a service.</summary>
public static class ReviewClassifierExtensions
{
    /// <summary>
    /// Classifies a stream: texts are gathered into batches, and each batch's results come as soon as it is computed, in the
    /// texts' order.
    /// </summary>
    /// <param name="classifier">The model.</param>
    /// <param name="texts">Any number of texts.</param>
    /// <param name="batchSize">Texts that are read before they are computed together: 64, some seconds of bert-base, and enough
    /// to form forward passes of like length.</param>
    /// <param name="cancellationToken">Stops between forward passes.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="batchSize"/> is below 1.</exception>
    public static IAsyncEnumerable<Classification> ClassifyAsync(
        this ReviewClassifier classifier, IAsyncEnumerable<string> texts, int batchSize = 64, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(batchSize, 1);
        return Batches(classifier, texts, batchSize, cancellationToken);
    }

    private static async IAsyncEnumerable<Classification> Batches(
        ReviewClassifier classifier, IAsyncEnumerable<string> texts, int batchSize,
            [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (string[] batch in texts.Chunk(batchSize).WithCancellation(cancellationToken).ConfigureAwait(false))
        {
            // Off the caller's thread, which may be a server's.
            foreach (Classification each in await Task.Run(() => classifier.Classify(batch, cancellationToken), cancellationToken)
                .ConfigureAwait(false))
                yield return each;
        }
    }

    /// <summary>A <see cref="ReviewClassifier"/> of a checkpoint folder, loaded at its first use and disposed with the services.</summary>
    /// <param name="services">The program's services.</param>
    /// <param name="folder">A folder as Hugging Face saves one.</param>
    /// <param name="options">Number type, limits and threads; null takes the defaults.</param>
    public static IServiceCollection AddReviewClassifier(
        this IServiceCollection services, string folder, InferenceOptions? options = null) =>
        services.AddSingleton(_ => ReviewClassifier.Load(folder, options));
}
