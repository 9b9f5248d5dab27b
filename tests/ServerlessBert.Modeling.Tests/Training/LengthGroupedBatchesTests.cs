using CsCheck;
using CsvHelper;
using ServerlessBert.Modeling.Tokenization;
using ServerlessBert.Modeling.Training;
using ServerlessBert.Testing;
using Xunit.Abstractions;

namespace ServerlessBert.Modeling.Tests.Training;

public class LengthGroupedBatchesTests(ITestOutputHelper output)
{
    [Fact]
    public void Every_review_stands_in_one_batch() =>
        Gen.Select(Gen.Int[1, 512].Array[1, 500], Gen.Int[1, 40], Gen.Int).Sample((lengths, size, seed) =>
        {
            IReadOnlyList<int[]> batches = LengthGroupedBatches.Of(lengths, size, new Random(seed));
            Assert.Equal(Enumerable.Range(0, lengths.Length), batches.SelectMany(batch => batch).Order());
            Assert.Equal((lengths.Length + size - 1) / size, batches.Count);
        });

    [Fact]
    public void The_same_seed_gives_the_same_batches_and_another_seed_others()
    {
        int[] lengths = [.. Enumerable.Range(1, 300)];

        Assert.Equal(LengthGroupedBatches.Of(lengths, 8, new Random(1)), LengthGroupedBatches.Of(lengths, 8, new Random(1)));
        Assert.NotEqual(LengthGroupedBatches.Of(lengths, 8, new Random(1)), LengthGroupedBatches.Of(lengths, 8, new Random(2)));
    }

    [Fact]
    public void Padding_is_under_a_twentieth_for_lengths_as_reviews_have_them()
    {
        var random = new Random(3);
        int[] lengths = [.. Enumerable.Range(0, 8000)
            .Select(_ => (int)Math.Clamp(
            Math.Exp(4.7 + 0.8 * (random.NextDouble() + random.NextDouble() + random.NextDouble() - 1.5) * 2), 5, 512))];
        IReadOnlyList<int[]> batches = LengthGroupedBatches.Of(lengths, 16, new Random(4));
        double padded = batches.Sum(batch => batch.Length * batch.Max(index => lengths[index]));

        Assert.InRange(1 - lengths.Sum() / padded, 0, 0.05);
    }

    [SharedDataTheory]
    [InlineData(8)]
    [InlineData(16)]
    [InlineData(32)]
    public void Real_reviews_waste_under_a_twentieth_where_padding_to_512_wastes_more_than_half(int batchSize)
    {
        var tokenizer = BertTokenizer.FromVocabulary(
            SharedData.PathOf("vocab", "bert-base-uncased-vocab.txt"), new BertTokenizerOptions { LowerCase = true });
        using var csv = CsvReader.FromFile(SharedData.PathOf("reviews", "yelp-train.csv"), new CsvReaderOptions { HasHeader = true });
        var lengths = new List<int>();
        while (csv.Read()) lengths.Add(tokenizer.Encode(csv.Current.GetString(3), 512).Length); // review_id, stars, date, text

        IReadOnlyList<int[]> batches = LengthGroupedBatches.Of(lengths, batchSize, new Random(4));
        double grouped = 1 - (double)lengths.Sum() / batches.Sum(batch => batch.Length * batch.Max(index => lengths[index]));
        double toMaximum = 1 - lengths.Sum() / (512.0 * lengths.Count);
        output.WriteLine($"batches of {batchSize}: {grouped:0.0 %} padding in batches of like length, {toMaximum:0.0 %} padded to 512");

        Assert.InRange(grouped, 0, 0.05);
        Assert.InRange(toMaximum, 0.5, 0.8);
    }
}
