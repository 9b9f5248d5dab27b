namespace ServerlessBert.Functions;

/// <summary>What one request to <see cref="Predict"/> may ask for; more than this is a file's business.</summary>
public sealed record PredictLimits
{
    /// <summary>Longest body in bytes.</summary>
    public int MaxBodyBytes { get; init; } = 1024 * 1024;

    /// <summary>Most reviews: as many as a batch of a file, some seconds of work on one core.</summary>
    public int MaxReviews { get; init; } = 128;
}
