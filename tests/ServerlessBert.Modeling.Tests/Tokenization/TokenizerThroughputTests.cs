using System.Diagnostics;
using ServerlessBert.Testing;

namespace ServerlessBert.Modeling.Tests.Tokenization;

public class TokenizerThroughputTests
{
    [SharedDataFact]
    public void Ten_thousand_short_lines_take_under_a_second()
    {
        var tokenizer = BertTokenizer.FromVocabulary(SharedData.PathOf("vocab", "bert-base-uncased-vocab.txt"), new BertTokenizerOptions { LowerCase = true });
        string[] lines = [.. Enumerable.Range(0, 10_000).Select(index => $"Visit number {index}: the crème brûlée wasn't unforgettable, but we'd come back!")];
        tokenizer.Encode(lines[0], 512);
        var watch = Stopwatch.StartNew();
        int tokens = lines.Sum(line => tokenizer.Encode(line, 512).Length);
        Assert.InRange(watch.Elapsed.TotalSeconds, 0, 1);
        Assert.InRange(tokens, 10_000 * 15, 10_000 * 40);
    }
}
