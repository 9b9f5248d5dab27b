namespace ServerlessBert.Modeling;

/// <summary>A checkpoint folder ready to classify: tokenizer and eval-mode model. Safe to call from one thread at a time.</summary>
public sealed class ReviewClassifier : IDisposable
{
    /// <summary>Loads a checkpoint folder.</summary>
    public static ReviewClassifier Load(string folder, InferenceOptions? options = null) => throw new NotImplementedException();

    /// <summary>The number type in use: float32 or bfloat16.</summary>
    public string Dtype => throw new NotImplementedException();

    /// <summary>Classifies texts; the result is in their order.</summary>
    public IReadOnlyList<Classification> Classify(IReadOnlyList<string> texts, CancellationToken cancellationToken = default) => throw new NotImplementedException();

    /// <summary>Frees the weights.</summary>
    public void Dispose() { }
}
