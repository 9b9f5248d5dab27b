namespace ServerlessBert.Modeling;

/// <summary>What the model says of one review.</summary>
/// <param name="Probabilities">Softmax of the logits, [labels]; index 0 is one star.</param>
/// <param name="Tokens">Tokens the model saw, special tokens included.</param>
/// <param name="UnknownTokens">How many of them were [UNK].</param>
/// <param name="IsTruncated">Whether the text was longer than the model's maximum.</param>
public sealed record Classification(float[] Probabilities, int Tokens, int UnknownTokens, bool IsTruncated)
{
    /// <summary>The most probable rating, 1 to the number of labels; the lower one of equals.</summary>
    public int Stars => Array.IndexOf(Probabilities, Probabilities.Max()) + 1;

    /// <summary>The probability of <see cref="Stars"/>.</summary>
    public float Confidence => Probabilities.Max();

    /// <summary>The mean rating under <see cref="Probabilities"/>.</summary>
    public float ExpectedStars => Probabilities.Select((probability, label) => probability * (label + 1)).Sum();
}
