namespace ServerlessBert.Modeling;

/// <summary>Labelled reviews as the model takes them.</summary>
/// <param name="Ids">Token ids of each review, special tokens included, [rows][tokens].</param>
/// <param name="Labels">Labels from 0, [rows].</param>
internal sealed record EncodedReviews(int[][] Ids, int[] Labels)
{
    /// <summary>What teachers make of each, [rows], null where they were not asked; null where there are no teachers.</summary>
    public IReadOnlyList<float>?[]? Taught { get; init; }

    /// <summary>How many there are.</summary>
    public int Count => Ids.Length;

    /// <summary>Tokens of each, [rows].</summary>
    public int[] Lengths { get; } = [.. Ids.Select(row => row.Length)];

    /// <summary>Tokenizes reviews, cutting them at <paramref name="maxLength"/> tokens.</summary>
    public static EncodedReviews Of(IReadOnlyList<LabelledReview> reviews, BertTokenizer tokenizer, int maxLength) =>
        new([.. reviews.Select(review => tokenizer.Encode(review.Text, maxLength))], [.. reviews.Select(review => review.Label)])
        {
            Taught = reviews.Any(review => review.Taught is not null) ? [.. reviews.Select(review => review.Taught)] : null,
        };
}
