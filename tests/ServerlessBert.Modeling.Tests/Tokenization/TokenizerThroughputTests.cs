using System.Diagnostics;
using ServerlessBert.Modeling.Tokenization;
using ServerlessBert.Testing;

namespace ServerlessBert.Modeling.Tests.Tokenization;

public class TokenizerThroughputTests
{
    [SharedDataFact]
    public void Short_lines_are_encoded_at_over_100_000_a_minute_on_one_core()
    {
        var tokenizer = BertTokenizer.FromVocabulary(
            SharedData.PathOf("vocab", "bert-base-uncased-vocab.txt"), new BertTokenizerOptions { LowerCase = true });
        string[] lines =
            [.. Enumerable.Range(0, 10_000)
            .Select(index => $"Visit number {index}: the crème brûlée wasn't unforgettable, but we'd come back!")];
        var watch = Stopwatch.StartNew();
        int tokens = lines.Sum(line => tokenizer.Encode(line, 512).Length);
        Assert.InRange(lines.Length / watch.Elapsed.TotalMinutes, 100_000, double.MaxValue);
        Assert.InRange(tokens, 10_000 * 15, 10_000 * 40);
    }
}
