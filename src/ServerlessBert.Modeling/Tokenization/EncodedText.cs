namespace ServerlessBert.Modeling;

/// <summary>A text as the model reads it.</summary>
/// <param name="InputIds">[CLS], word pieces, [SEP]: [sequence].</param>
/// <param name="UnknownTokens">How many of the ids are [UNK].</param>
/// <param name="IsTruncated">Whether word pieces were left out at the end.</param>
public sealed record EncodedText(int[] InputIds, int UnknownTokens, bool IsTruncated);
