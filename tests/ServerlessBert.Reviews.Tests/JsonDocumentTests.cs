using System.IO.Compression;
using System.Text;
using System.Text.Json;
using CsCheck;
using ServerlessBert.Reviews.Files;

namespace ServerlessBert.Reviews.Tests;

/// <summary>JSON as people have it: arrays, nested fields, numbers that are none.</summary>
public sealed class JsonDocumentTests
{
    private const string Array =
        "[\n  {\"text\": \"a, [b]\",\r\n \"stars\": 5},\n  {\"text\": \"c \\\"]\\\\\", \"tags\": [1, {\"x\": []}]}\n]\n";

    [Theory]
    [InlineData("a.json")]
    [InlineData("a.jsonl")]
    [InlineData("a.NDJSON")]
    public async Task An_array_of_objects_is_read_as_lines_are(string name)
    {
        List<Review> reviews = await ReadAsync(Array, name);
        Assert.Equal([("a, [b]", 5), ("c \"]\\", null)], reviews.Select(review => (review.Text, review.Stars)));
    }

    [Fact]
    public async Task An_array_is_read_compressed_and_in_UTF_16_with_and_without_its_mark()
    {
        byte[] utf16 = Encoding.Unicode.GetBytes(Array);
        Assert.Equal(2, (await ReadAsync(Gzip(Encoding.UTF8.GetBytes(Array)), "a.json.gz")).Count);
        Assert.Equal(2, (await ReadAsync([.. Encoding.Unicode.GetPreamble(), .. utf16], "a.json")).Count);
        Assert.Equal(2, (await ReadAsync(utf16, "a.json")).Count);
        Assert.Equal(2, (await ReadAsync([.. Encoding.UTF8.GetPreamble(), .. Encoding.UTF8.GetBytes(Array)], "a.json")).Count);
    }

    [Fact]
    public async Task An_array_cut_short_is_damaged_and_never_a_shorter_file()
    {
        string sound = Array.TrimEnd();
        for (int length = 1; length < sound.Length; length++)
            Assert.Equal("damaged_json", (await Assert.ThrowsAsync<ReviewFileException>(() => ReadAsync(sound[..length], "a.json"))).Code);
    }

    [Fact]
    public async Task Lines_in_a_file_named_json_are_lines_and_an_empty_array_has_no_rows()
    {
        Assert.Equal(["a", "b"], (await ReadAsync("{\"text\":\"a\"}\n{\"text\":\"b\"}\n", "a.json")).Select(review => review.Text));
        Assert.Empty(await ReadAsync("[]", "a.json"));
        Assert.Equal(["not_an_object", null], (await ReadAsync("[1]\n{\"text\":\"b\"}\n", "a.jsonl")).Select(review => review.Error?.Code));
    }

    [Fact]
    public async Task A_row_that_is_no_review_keeps_its_place_in_an_array()
    {
        List<Review> reviews = await ReadAsync("[{\"text\":\"a\"}, null, 5, {\"text\":x}, {\"text\":\"b\"}]", "a.json");
        Assert.Equal([null, "not_an_object", "not_an_object", "invalid_json", null], reviews.Select(review => review.Error?.Code));
    }

    [Fact]
    public async Task Whatever_the_texts_and_the_pieces_it_comes_in_an_array_has_its_rows() =>
        await Gen.Select(Gen.String.List[0, 8], Gen.Bool, Gen.Int[1, 9]).SampleAsync(async (texts, isIndented, bytesPerRead) =>
        {
            string[] whole = [.. texts.Select(text => "-" + Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text)))];
            byte[] json = JsonSerializer.SerializeToUtf8Bytes(
                whole.Select(text => new { text, more = new[] { text } }), new JsonSerializerOptions { WriteIndented = isIndented });
            var reviews = new List<Review>();
            await foreach (Review review in ReviewFileReader.ReadAsync(
                new DrippingStream(json, bytesPerRead), "a.json", new ReviewOptions())) reviews.Add(review);
            Assert.Equal(whole, reviews.Select(review => review.Text));
        }, iter: 500, threads: 1);

    [Fact]
    public async Task A_nested_field_is_found_by_its_path()
    {
        var options = new ReviewOptions { TextFields = ["review.body"], StarsFields = ["review.rating.value"], IdFields = ["meta.id"] };
        string content =
            "{\"review\":{\"title\":\"no\",\"body\":\"a\",\"rating\":{\"max\":5,\"value\":4}},\"meta\":{\"id\":7},\"body\":\"no\"}\n"
            + "{\"review.body\":\"b\"}\n{\"review\":\"no\"}\n{\"Review\":{\"Body\":\"c\"}}\n";
        List<Review> reviews = await ReviewFiles.ReadAsync(content, ReviewFormat.JsonLines, options);
        Assert.Equal(["a", "b", "", "c"], reviews.Select(review => review.Text));
        Assert.Equal((4, "7", "missing_text"), (reviews[0].Stars, reviews[0].Id, reviews[2].Error?.Code));
        Assert.Equal(("d", 2),
            (await ReviewFiles.ReadAsync("{\"reviews\":{\"text\":\"d\",\"rating\":2}}", ReviewFormat.JsonLines))
            .Select(review => (review.Text, review.Stars)).Single());
    }

    [Theory]
    [InlineData("{\"text\":\"a\",\"helpful\":NaN,\"x\":[Infinity,-Infinity],\"stars\":3}", "a", 3)]
    [InlineData("{\"text\":\"NaN \\\" Infinity\",\"stars\":NaN}", "NaN \" Infinity", null)]
    public async Task Numbers_that_are_none_cost_a_row_nothing_but_themselves(string line, string text, int? stars)
    {
        Review review = (await ReviewFiles.ReadAsync(line, ReviewFormat.JsonLines)).Single();
        Assert.Equal((text, stars, null, null), (review.Text, review.Stars, review.Error, review.LabelError));
    }

    [Theory]
    [InlineData("{\"text\":NaN}")]
    [InlineData("{\"text\":null,\"review\":NaN}")]
    public async Task A_text_that_is_no_number_is_missing(string line) =>
        Assert.Equal("missing_text", (await ReviewFiles.ReadAsync(line, ReviewFormat.JsonLines)).Single().Error?.Code);

    [Theory]
    [InlineData("{\"review\":4.5,\"review_text\":\"Lovely\"}")]
    [InlineData("{\"review\":{\"lang\":\"en\"},\"review_text\":\"Lovely\"}")]
    [InlineData("{\"text\":[\"no\"],\"body\":\"Lovely\",\"comment\":\"no\"}")]
    public async Task The_first_accepted_name_that_holds_a_string_is_the_text(string line) =>
        Assert.Equal("Lovely", (await ReviewFiles.ReadAsync(line, ReviewFormat.JsonLines)).Single().Text);

    private static Task<List<Review>> ReadAsync(string content, string name) => ReadAsync(Encoding.UTF8.GetBytes(content), name);

    private static async Task<List<Review>> ReadAsync(byte[] content, string name) =>
        await ReviewFileReader.ReadAsync(new MemoryStream(content), name, new ReviewOptions()).ToListAsync();

    private static byte[] Gzip(byte[] content)
    {
        var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionLevel.Optimal)) gzip.Write(content);
        return compressed.ToArray();
    }
}
