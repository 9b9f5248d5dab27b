namespace ServerlessBert.Modeling;

/// <summary>Two texts as the model reads them.</summary>
/// <param name="InputIds">[CLS], the first text, [SEP], the second, [SEP]: [sequence].</param>
/// <param name="TokenTypeIds">0 up to the first [SEP], 1 after it: [sequence].</param>
/// <param name="IsTruncated">Whether word pieces of either text were left out.</param>
public sealed record EncodedPair(int[] InputIds, int[] TokenTypeIds, bool IsTruncated);
