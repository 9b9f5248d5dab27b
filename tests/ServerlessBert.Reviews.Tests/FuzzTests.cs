using System.Diagnostics;
using System.Globalization;
using System.IO.Compression;
using ServerlessBert.Reviews.Decoding;
using ServerlessBert.Reviews.Files;

namespace ServerlessBert.Reviews.Tests;

/// <summary>Mutated files of every form: each is read, row for row, or refused with a sentence.</summary>
public sealed class FuzzTests
{
    private static readonly byte[][] Seeds =
    [
        "{\"id\":\"r1\",\"text\":\"a \\\"good\\\" one \\ud83d\\ude00\",\"stars\":5}\n{\"text\":\"bad\",\"label\":0}\r\n\n{\"review\":\"é\"}\n"u8.ToArray(),
        "id,stars,text\nr1,5,\"a, \"\"b\"\"\nc\"\nr2,1,bad\r\n\nr3,3\n"u8.ToArray(),
        "\"5\",\"dr. goldberg, \"\"the\"\" best\"\n\"1\",\"no\"\n"u8.ToArray(),
        "\uFEFFid\ttext\nr1\t\"a\tb\"\nr2\tc\n"u8.ToArray(),
        "a good one\r\nbad\r\r\n  \n😀 é\n"u8.ToArray(),
        [0xff, 0xfe, .. "t\0e\0x\0t\0\n\0a\0\n\0"u8],
        Gzip("text,stars\ngood,5\nbad,1\n"u8.ToArray()),
        "id;text;stars\nr1;\"a; \\\"b\\\" c\";5\nr2;bad;1\n"u8.ToArray(),
        "sep=|\r\nid| text\r\nr1| \"a|b\"\r\n"u8.ToArray(),
        [.. "text,stars\ncaf"u8, 0xe9, .. ",5\n"u8],
        "[{\"text\":\"a,]\",\"stars\":NaN},\n {\"review\":{\"body\":\"b\"}}]"u8.ToArray(),
    ];

    private static readonly byte[] Telling = [0, (byte)'"', (byte)',', (byte)'\n', (byte)'\r', (byte)'\t', (byte)'\\', (byte)'{', (byte)'}', 0x80, 0xed, 0xf0, 0xff, 0x1f, 0x8b];

    [Fact]
    public async Task A_mutated_file_is_read_row_for_row_or_refused_with_a_sentence()
    {
        int count = int.Parse(Environment.GetEnvironmentVariable("SERVERLESSBERT_FUZZ") ?? "100000", CultureInfo.InvariantCulture);
        var random = new Random(20261123);
        int read = 0;
        for (int index = 0; index < count; index++)
        {
            byte[] content = Mutate(Seeds[random.Next(Seeds.Length)], random);
            var format = (ReviewFormat)random.Next(4);
            var options = new ReviewOptions { BatchRows = random.Next(1, 4), BatchBytes = random.Next(1, 64), MaxRecordBytes = random.Next(8, 200), MaxBatches = random.Next(1, 8), MaxRows = random.Next(2, 20) };
            var watch = Stopwatch.StartNew();
            try
            {
                await CheckAsync(content, format, options);
                read++;
            }
            catch (ReviewFileException refusal)
            {
                Assert.EndsWith(".", refusal.Message, StringComparison.Ordinal);
            }
            catch (Exception exception)
            {
                Assert.Fail($"Mutation {index} as {format} of {Convert.ToBase64String(content)}: {exception}");
            }
            Assert.InRange(watch.Elapsed.TotalSeconds, 0, 5);
        }
        Assert.InRange(read, count / 4, count);
    }

    private static async Task CheckAsync(byte[] content, ReviewFormat format, ReviewOptions options)
    {
        var utf8 = new MemoryStream();
        await using (Stream stream = ReviewContent.OpenAsUtf8(new MemoryStream(content), format == ReviewFormat.JsonLines ? "a.json" : "a.txt", options)) await stream.CopyToAsync(utf8);
        byte[] plain = utf8.ToArray();
        ReviewFilePlan plan = await ReviewFiles.SplitAsync(plain, format, options);
        List<Review> reviews = ReviewFiles.Read(plain, plan, options);
        Assert.Equal(Enumerable.Range(0, (int)plan.Rows).Select(row => (long)row), reviews.Select(review => review.Row));
        Assert.All(reviews, review => Assert.True(review.Error is null ? !string.IsNullOrWhiteSpace(review.Text) : review.Text.Length == 0 && review.Error.Message.EndsWith('.')));
        Assert.All(reviews, review => Assert.True(review.Stars is null or (>= 1 and <= 5)));
        Assert.InRange(plan.Batches.Count, 0, options.MaxBatches);
    }

    private static byte[] Mutate(byte[] seed, Random random)
    {
        List<byte> content = [.. seed];
        for (int mutation = random.Next(6); mutation >= 0 && content.Count > 0; mutation--)
        {
            int at = random.Next(content.Count);
            int length = random.Next(content.Count - at + 1);
            switch (random.Next(6))
            {
                case 0: content[at] = (byte)random.Next(256); break;
                case 1: content[at] = Telling[random.Next(Telling.Length)]; break;
                case 2: content.Insert(at, Telling[random.Next(Telling.Length)]); break;
                case 3: content.RemoveRange(at, Math.Min(length, 8)); break;
                case 4: content.InsertRange(at, content.GetRange(at, length)); break;
                default: content.RemoveRange(at, content.Count - at); break;
            }
        }
        return [.. content];
    }

    private static byte[] Gzip(byte[] content)
    {
        var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionLevel.Optimal)) gzip.Write(content);
        return compressed.ToArray();
    }
}
