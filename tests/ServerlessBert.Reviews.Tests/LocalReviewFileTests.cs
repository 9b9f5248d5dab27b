using System.IO.Compression;
using System.Text;
using CsvHelper;
using ServerlessBert.Reviews.Files;
using ServerlessBert.Testing;

namespace ServerlessBert.Reviews.Tests;

public sealed class LocalReviewFileTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("reviews");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData("reviews.txt")]
    [InlineData("reviews.txt.gz")]
    public async Task A_file_is_read_batch_by_batch_compressed_or_not(string name)
    {
        string path = Path.Combine(_folder.FullName, name);
        string[] texts = [.. Enumerable.Range(0, 1000).Select(row => $"review {row}")];
        await using (Stream stream = name.EndsWith(".gz", StringComparison.Ordinal)
            ? new GZipStream(File.Create(path), CompressionLevel.Optimal) : File.Create(path))
            await stream.WriteAsync(Encoding.UTF8.GetBytes(string.Join('\n', texts)));

        await using LocalReviewFile file = await LocalReviewFile.OpenAsync(path, new ReviewOptions { BatchRows = 64 });
        Assert.Equal(1000, file.Plan.Rows);
        Assert.Equal(texts, await file.ReadAsync().Select(review => review.Text).ToListAsync());
        Assert.Equal(16, await file.ReadBatchesAsync().CountAsync());
        Assert.Equal("review 64", (await file.ReadAsync(file.Plan.Batches[1]))[0].Text);
    }

    [Fact]
    public async Task A_stream_is_read_from_where_it_stands_and_stays_open()
    {
        var content = new MemoryStream("skipped\na\nb\n"u8.ToArray()) { Position = 8 };
        Assert.Equal(["a", "b"],
            await ReviewFileReader.ReadAsync(content, "x.txt", new ReviewOptions()).Select(review => review.Text).ToListAsync());
        Assert.True(content.CanRead);
    }

    [Fact]
    public async Task A_stream_in_UTF_16_is_read()
    {
        var content = new MemoryStream([.. Encoding.Unicode.GetPreamble(), .. Encoding.Unicode.GetBytes("text,stars\nschön,5\n")]);
        Review review = await ReviewFileReader.ReadAsync(content, "x.csv", new ReviewOptions()).SingleAsync();
        Assert.Equal(("schön", 5), (review.Text, review.Stars));
    }

    [Fact]
    public async Task A_name_without_a_known_ending_is_refused() =>
        Assert.Equal("unknown_format",
            (await Assert.ThrowsAsync<ReviewFileException>(
            () => LocalReviewFile.OpenAsync(new MemoryStream(), "x.doc", new ReviewOptions()))).Code);

    [Fact]
    public async Task A_file_that_is_refused_is_closed()
    {
        string path = Path.Combine(_folder.FullName, "empty.csv");
        await File.WriteAllBytesAsync(path, []);
        Assert.Equal("empty_file",
            (await Assert.ThrowsAsync<ReviewFileException>(() => LocalReviewFile.OpenAsync(path, new ReviewOptions()))).Code);
        await using FileStream exclusive = new(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
        Assert.Equal(0, exclusive.Length);
    }

    [SharedDataTheory]
    [InlineData("yelp-train.csv", 8000)]
    [InlineData("yelp-test.csv", 2000)]
    public async Task Real_reviews_are_read_as_CsvHelper_reads_them(string name, int rows)
    {
        string path = SharedData.PathOf("reviews", name);
        var expected = new List<(string, int, string)>();
        using (CsvReader reader = CsvReader.FromFile(path))
        {
            while (reader.Read()) expected.Add((reader.GetString("review_id"), reader.Parse<int>("stars"), reader.GetString("text")));
        }
        await using LocalReviewFile file = await LocalReviewFile.OpenAsync(path, new ReviewOptions());
        List<Review> reviews = await file.ReadAsync().ToListAsync();
        Assert.Equal(rows, reviews.Count);
        Assert.Equal(expected, reviews.Select(review => (review.Id!, review.Stars!.Value, review.Text)));
        Assert.All(reviews, review => Assert.Equal((null, null, 0), (review.Error, review.LabelError, review.InvalidUtf8)));
    }
}
