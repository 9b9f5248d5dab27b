using System.Globalization;
using ServerlessBert.Modeling.Tokenization;
using ServerlessBert.Reviews;
using ServerlessBert.Reviews.Files;
using ServerlessBert.Testing;

namespace ServerlessBert.Benchmarks.Inference;

/// <summary>
/// Reviews to measure with: real ones where they are beside the checkout, else as many made-up words as a review of a
/// lognormal length has (median 113 tokens, mean 156, at most 512: Yelp's).
/// </summary>
internal static class BenchmarkReviews
{
    private const int MaxTokens = 512, MadeUp = 2_000;
    private const double LogMedian = 4.727, LogDeviation = 0.85; // a median of 113; capped at 512, a mean of 156

    /// <summary>The texts.</summary>
    public static IReadOnlyList<string> Texts() =>
        SharedData.Root is null ? MadeUpTexts() : RealTexts(SharedData.PathOf("reviews", "yelp-test.csv"));

    /// <summary>The texts as a model reads them, the longest first: as anyone orders reviews who pads batches.</summary>
    public static IReadOnlyList<EncodedText> Sorted(BertTokenizer tokenizer) =>
        [.. Texts().Select(text => tokenizer.EncodeText(text, MaxTokens)).OrderByDescending(text => text.InputIds.Length)];

    /// <summary>A review of exactly so many tokens.</summary>
    public static EncodedText OfLength(int tokens, int seed)
    {
        var random = new Random(seed);
        return new EncodedText(
            [.. Enumerable.Range(0, tokens).Select(_ => random.Next(2_000, 20_000))], UnknownTokens: 0, IsTruncated: false);
    }

    /// <summary>A made-up word, in letters alone.</summary>
    public static string Word(int number) =>
        string.Concat(number.ToString("00000", CultureInfo.InvariantCulture).Select(digit => (char)('a' + digit - '0')));

    private static string[] RealTexts(string path)
    {
        using FileStream file = File.OpenRead(path);
        return [.. ReviewFileReader.ReadAsync(file, path, new ReviewOptions()).ToBlockingEnumerable()
            .Where(review => review.Error is null).Select(review => review.Text)];
    }

    private static string[] MadeUpTexts()
    {
        var random = new Random(1);
        return [.. Enumerable.Range(0, MadeUp)
            .Select(_ => string.Join(' ', Enumerable.Range(0, Length(random) - 2).Select(_ => Word(random.Next(30_000)))))];
    }

    private static int Length(Random random)
    {
        double normal = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
        return Math.Clamp((int)Math.Exp(LogMedian + (LogDeviation * normal)), 3, MaxTokens);
    }
}
