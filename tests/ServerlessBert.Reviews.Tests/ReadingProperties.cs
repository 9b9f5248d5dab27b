using System.Text;
using System.Text.Json;
using CsCheck;
using ServerlessBert.Reviews.Files;

namespace ServerlessBert.Reviews.Tests;

/// <summary>Laws of splitting and reading, for any content in any form.</summary>
public sealed class ReadingProperties
{
    // What the forms give a meaning to, and what encodings stumble over.
    private static readonly string[] Parts =
        ["\"", "\"\"", ",", "\t", "\n", "\r\n", "\r", "a", " ", "é", "😀", "\\", "{", "}", "\\ud83d", "{\"text\":\"x\"}", "5", "text",
        "\uFEFF"];
    private static readonly Gen<string> AnyText =
        Gen.Int[0, Parts.Length - 1].Select(part => Parts[part]).List[0, 40].Select(parts => string.Concat(parts));
    private static readonly Gen<ReviewFormat> AnyFormat = Gen.Int[0, 3].Select(format => (ReviewFormat)format);
    private static readonly Gen<ReviewOptions> AnyOptions =
        Gen.Select(Gen.Int[1, 5], Gen.Int[1, 60], Gen.Int[1, 3], (rows, bytes, size) => new ReviewOptions
        {
            BatchRows = rows,
            BatchBytes = bytes,
            MaxBatches = size == 1 ? 50_000 : size,
        });

    [Fact]
    public void Rows_out_are_rows_in_with_their_texts_for_any_form_and_batch_size() =>
        Gen.Select(AnyFormat, AnyText.Where(text => !string.IsNullOrWhiteSpace(text)).List[0, 30], AnyOptions, Gen.Bool).Sample(
            (format, texts, options, isWindows) =>
            {
                if (format == ReviewFormat.Text) texts = [.. texts.Select(text => "-" + text.Replace('\r', ' ').Replace('\n', ' '))];
                byte[] content = Write(format, texts, isWindows ? "\r\n" : "\n");
                List<Review> reviews = ReviewFiles.ReadAsync(content, format, options).Result;
                Assert.Equal(texts, reviews.Select(review => review.Text));
                Assert.Equal(Enumerable.Range(0, texts.Count).Select(row => (long)row), reviews.Select(review => review.Row));
                Assert.All(reviews, review => Assert.Null(review.Error));
                if (format != ReviewFormat.Text) Assert.Equal(
                    reviews.Select(review => $"id{review.Row}"), reviews.Select(review => review.Id));
            },
            iter: 3000);

    [Fact]
    public void Batches_read_by_range_are_the_file_read_at_once_whatever_it_holds() =>
        Gen.Select(AnyFormat, AnyText.List[0, 8].Select(texts => string.Concat(texts)), AnyOptions).Sample(
            (format, text, options) =>
            {
                byte[] content = ContentOf(format, text);
                ReviewOptions whole = new() { BatchRows = int.MaxValue, BatchBytes = int.MaxValue };
                if (PlanOf(new MemoryStream(content), format, whole) is not { } plan) return;
                ReviewFilePlan small = PlanOf(new MemoryStream(content), format, options with { MaxBatches = 50_000 })!;
                Assert.Equal(ReviewFiles.Read(content, plan, whole), ReviewFiles.Read(content, small, options));
                Assert.Equal(plan.Rows, small.Batches.Sum(batch => batch.Rows));
                Assert.Equal(plan.Rows, ReviewFiles.Read(content, small, options).Count);
                Assert.All(small.Batches.Zip(small.Batches.Skip(1)),
                    pair => Assert.True(pair.First.Offset + pair.First.Length <= pair.Second.Offset));
            },
            iter: 10_000);

    [Fact]
    public void A_stream_that_gives_a_byte_a_read_gives_the_same_plan() =>
        Gen.Select(AnyFormat, AnyText.List[0, 8].Select(texts => string.Concat(texts)), AnyOptions, Gen.Int[1, 9]).Sample(
            (format, text, options, bytesPerRead) =>
            {
                // What is read whole to judge the head is blank, so that the content itself comes in pieces.
                byte[] head = ReviewFiles.Utf8(new string('\n', BinaryContent.HeadBytes - 2) + "  \n");
                byte[] content = [.. head, .. ContentOf(format, text)];
                ReviewFilePlan? whole = PlanOf(new MemoryStream(content), format, options);
                ReviewFilePlan? dripped = PlanOf(new DrippingStream(content, bytesPerRead), format, options);
                Assert.Equal(JsonSerializer.Serialize(whole), JsonSerializer.Serialize(dripped));
            },
            iter: 2000);

    private static ReviewFilePlan? PlanOf(Stream content, ReviewFormat format, ReviewOptions options)
    {
        try
        {
            return ReviewSplitter.SplitAsync(content, format, options).Result;
        }
        catch (AggregateException exception) when (exception.InnerException is ReviewFileException)
        {
            return null;
        }
    }

    private static byte[] ContentOf(ReviewFormat format, string text) => ReviewFiles.Utf8(format switch
    {
        ReviewFormat.Csv => "stars,text\n" + text,
        ReviewFormat.Tsv => "stars\ttext\n" + text,
        _ => text,
    });

    private static byte[] Write(ReviewFormat format, List<string> texts, string lineBreak)
    {
        char delimiter = format == ReviewFormat.Tsv ? '\t' : ',';
        IEnumerable<string> rows = format switch
        {
            ReviewFormat.Text => texts,
            ReviewFormat.JsonLines => texts.Select((text, row) => JsonSerializer.Serialize(new { id = $"id{row}", text })),
            _ => texts.Select((text, row) => $"id{row}{delimiter}\"{text.Replace("\"", "\"\"")}\"").Prepend($"id{delimiter}text"),
        };
        string content = string.Join(lineBreak, rows);
        return Encoding.UTF8.GetBytes(content.Length > 0 ? content : lineBreak);
    }
}
