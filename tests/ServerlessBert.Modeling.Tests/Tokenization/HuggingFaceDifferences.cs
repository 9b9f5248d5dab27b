namespace ServerlessBert.Modeling.Tests.Tokenization;

/// <summary>Code points that Hugging Face's library reads otherwise, and why this tokenizer does not follow.</summary>
internal static class HuggingFaceDifferences
{
    private static readonly (int First, int Last)[] Ranges = [];

    public static bool Contains(int codePoint) => Array.Exists(Ranges, range => range.First <= codePoint && codePoint <= range.Last);
}
