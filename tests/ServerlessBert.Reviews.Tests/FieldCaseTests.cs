using ServerlessBert.Reviews.Files;
using ServerlessBert.Testing;

namespace ServerlessBert.Reviews.Tests;

/// <summary>Files that people stumbled over, each with what its expected.txt says.</summary>
public sealed class FieldCaseTests
{
    /// <summary>A folder, and its rows: text, stars, error.</summary>
    public static TheoryData<string, (string Text, int? Stars, string? Error)[]> Cases => new()
    {
        { "csv-backslash-quotes/c03-backslash-quote.csv",
            [("The \"secret\" menu, wow, is great", 5, null), ("Waited 2 hours", 1, null), ("OK place", 4, null)] },
        { "csv-quote-in-the-middle/c63-textquote-mid.csv", [("", 5, "too_many_columns"), ("ok", 1, null)] },
        { "csv-semicolon/c01-semicolon.csv", [("Lovely soup, warm bread", 5, null), ("Cold fries", 2, null)] },
        { "csv-unquoted-comma/f.csv", [("", 2, "too_many_columns"), ("Poor", 1, null)] },
        { "excel-sep-line-comma/c02b-sep-comma.csv", [("Lovely soup", 5, null), ("Cold fries", 2, null)] },
        { "json-nan-rating/j06-nan.jsonl", [("Lovely", null, null), ("Poor", 1, null), ("So so", null, null), ("Ok", 3, null)] },
        { "json-text-number/f.jsonl", [("Lovely", 5, null)] },
        { "json-text-of-other-type/f.jsonl", [("Lovely", 5, null)] },
        { "nul-byte-by-place/early.csv", [("Lovely\0place", 5, null), ("Poor", 1, null)] },
        { "rating-na-csv/f.csv", [("a good", 5, null), ("b", null, null), ("c", null, null), ("d", null, null), ("e", null, null)] },
        { "settings-not-read-locally/c06-womens.csv",
            [("Soft and cosy", 4, null), ("Pretty, but runs small", 5, null), ("", 3, "empty_text")] },
    };

    [SharedDataTheory]
    [MemberData(nameof(Cases))]
    public async Task A_file_is_read_as_it_was_meant(string file, (string Text, int? Stars, string? Error)[] expected)
    {
        List<Review> reviews = await ReadAsync(file);
        Assert.Equal(expected, reviews.Select(review => (review.Text, review.Stars, review.Error?.Code)));
        Assert.All(reviews, review => Assert.Null(review.LabelError));
    }

    [SharedDataTheory]
    [InlineData("gzip-zero-padding/g02-zeropad.jsonl.gz", 2)]
    [InlineData("parquet-float16-column/x-half-unrelated.parquet", 10)]
    [InlineData("rating-nan-parquet/p-lab-double.parquet", 10)]
    [InlineData("nul-byte-by-place/late.csv", 1501)]
    public async Task A_sound_file_has_all_its_rows(string file, int rows)
    {
        List<Review> reviews = await ReadAsync(file);
        Assert.Equal(rows, reviews.Count);
        Assert.All(reviews, review => Assert.Equal((null, null), (review.Error, review.LabelError)));
        if (file.StartsWith("rating-nan", StringComparison.Ordinal)) Assert.Equal((null, 5), (reviews[3].Stars, reviews[4].Stars));
    }

    [SharedDataFact]
    public async Task A_file_in_Windows_1252_is_read_in_it()
    {
        List<Review> reviews = await ReadAsync("cp1252-train-silent/c65-cp1252.csv");
        Assert.NotEmpty(reviews);
        Assert.Equal("It’s café number 0, don’t miss it", reviews[0].Text);
        Assert.All(reviews, review => Assert.Equal(0, review.InvalidUtf8));
    }

    private static async Task<List<Review>> ReadAsync(string file)
    {
        string path = SharedData.PathOf(["field-cases", .. file.Split('/')]);
        await using FileStream content = File.OpenRead(path);
        return await ReviewFileReader.ReadAsync(content, Path.GetFileName(path), new ReviewOptions()).ToListAsync();
    }
}
