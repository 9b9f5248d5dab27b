using System.Text;
using ServerlessBert.Reviews.Files;
using ServerlessBert.Reviews.Records;

namespace ServerlessBert.Reviews.Tests;

public sealed class ReviewSplitterTests
{
    [Theory]
    [InlineData(ReviewFormat.Text, "a\nb\r\nc\rd", 4)]
    [InlineData(ReviewFormat.Text, "\n\n a \n\t\n", 1)]
    [InlineData(ReviewFormat.Text, "\n \r\n\t", 0)]
    [InlineData(ReviewFormat.JsonLines, "\n\n", 0)]
    [InlineData(ReviewFormat.Csv, "text\n", 0)]
    [InlineData(ReviewFormat.Csv, "id,text", 0)]
    [InlineData(ReviewFormat.Csv, "\n \n", 0)]
    [InlineData(ReviewFormat.Tsv, "id\ttext\r\n", 0)]
    public async Task A_blank_line_is_no_row_and_a_last_line_break_makes_none(ReviewFormat format, string content, int rows)
    {
        ReviewFilePlan plan = await ReviewFiles.SplitAsync(ReviewFiles.Utf8(content), format);
        Assert.Equal((rows, rows > 0 ? 1 : 0, content.Length), (plan.Rows, plan.Batches.Count, plan.Bytes));
    }

    [Theory]
    [InlineData("")]
    [InlineData("\uFEFF")]
    public async Task An_empty_file_is_refused(string content) =>
        Assert.Equal("empty_file", (await ReviewFiles.RefusalOfAsync(content, ReviewFormat.Text)).Code);

    [Theory]
    [InlineData(ReviewFormat.JsonLines, "{\"text\":\"a\"}")]
    [InlineData(ReviewFormat.Csv, "text\na")]
    [InlineData(ReviewFormat.Tsv, "\"text\"\na")]
    [InlineData(ReviewFormat.Text, "a")]
    public async Task A_byte_order_mark_is_no_part_of_the_first_row(ReviewFormat format, string content)
    {
        byte[] bytes = ReviewFiles.Utf8("\uFEFF" + content);
        ReviewFilePlan plan = await ReviewFiles.SplitAsync(bytes, format);
        Assert.Equal(bytes.Length, plan.Bytes);
        Assert.Equal(["a"], ReviewFiles.Read(bytes, plan, new ReviewOptions()).Select(review => review.Text));
    }

    [Fact]
    public async Task A_million_empty_lines_are_no_rows() =>
        Assert.Equal(0, (await ReviewFiles.SplitAsync(ReviewFiles.Utf8(new string('\n', 1_000_000)), ReviewFormat.JsonLines)).Rows);

    [Fact]
    public async Task The_limit_on_bytes_holds_before_the_header_too() =>
        Assert.Equal("too_large",
            (await ReviewFiles.RefusalOfAsync(
            new string('\n', 1_000_000), ReviewFormat.Csv, new ReviewOptions { MaxBytes = 999_999 })).Code);

    [Theory]
    [InlineData("PK\u0003\u0004\0\0", "The file is no text but a ZIP archive or an Excel workbook; save it as CSV, or unpack it.")]
    [InlineData("%PDF-1.7", "The file is no text but a PDF; save its reviews as text.")]
    public async Task A_file_of_a_known_binary_kind_is_refused_by_its_name(string content, string message)
    {
        ReviewFileException refusal = await ReviewFiles.RefusalOfAsync(content, ReviewFormat.Csv);
        Assert.Equal(("binary_file", message), (refusal.Code, refusal.Message));
    }

    [Fact]
    public async Task A_file_of_many_NULs_is_refused_and_one_in_a_review_is_read_wherever_it_stands()
    {
        Assert.Equal("binary_file",
            (await ReviewFiles.RefusalOfAsync("text\n" + string.Concat(Enumerable.Repeat("ab\0\0\u0001c", 20)), ReviewFormat.Csv)).Code);
        foreach (int before in new[] { 0, 1, 3000, 30_000 })
        {
            string rows = string.Concat(Enumerable.Repeat("good\n", before));
            List<Review> reviews = await ReviewFiles.ReadAsync("text\n" + rows + "Lovely\0place\n" + rows, ReviewFormat.Csv);
            Assert.Equal("Lovely\0place", reviews[before].Text);
            Assert.All(reviews, review => Assert.Null(review.Error));
        }
        Assert.Equal("a\uFFFDb", (await ReviewFiles.ReadAsync("{\"text\":\"a\0b\"}\n", ReviewFormat.JsonLines)).Single().Text);
    }

    [Fact]
    public async Task A_file_of_random_bytes_is_refused_and_one_in_Windows_1252_is_read()
    {
        byte[] noise = new byte[10_000];
        new Random(1).NextBytes(noise);
        Array.ForEach(Enumerable.Range(0, noise.Length).ToArray(), index => noise[index] |= 1);
        Assert.Equal("binary_file", (await ReviewFiles.RefusalOfAsync(noise, ReviewFormat.Text)).Code);

        byte[] latin1 = Encoding.Latin1.GetBytes(string.Concat(Enumerable.Repeat("très bon déjeuner à l'hôtel\n", 100)));
        List<Review> reviews = await ReviewFiles.ReadAsync(latin1, ReviewFormat.Text);
        Assert.All(reviews, review => Assert.Equal(("très bon déjeuner à l'hôtel", 0), (review.Text, review.InvalidUtf8)));

        List<Review> asUtf8 = await ReviewFiles.ReadAsync(latin1, ReviewFormat.Text, new ReviewOptions { Encoding = "utf-8" });
        Assert.All(asUtf8,
            review => Assert.Equal(("tr\uFFFDs bon d\uFFFDjeuner \uFFFD l'h\uFFFDtel", 4), (review.Text, review.InvalidUtf8)));
    }

    [Fact]
    public async Task A_record_over_the_limit_is_a_batch_of_its_own_that_nobody_needs_to_read()
    {
        var options = new ReviewOptions { MaxRecordBytes = 10 };
        ReviewFilePlan plan =
            await ReviewFiles.SplitAsync(ReviewFiles.Utf8("short\n" + new string('x', 11) + "\n0123456789\n"), ReviewFormat.Text, options);
        Assert.Equal([null, "line_too_long", null], plan.Batches.Select(batch => batch.Error?.Code));
        Assert.Equal("Row 1 (byte 6) is 11 bytes long, over the limit of 10; shorten it or raise MaxRecordBytes.",
            plan.Batches[1].Error!.Message);

        Review tooLong = Assert.Single(ReviewReader.Read(default, plan.Layout, plan.Batches[1], options));
        Assert.Equal((1, "line_too_long"), (tooLong.Row, tooLong.Error?.Code));
    }

    /// <summary>SERVERLESSBERT_LINE_BYTES says how long a line: 2147483648 takes some seconds.</summary>
    [Fact]
    public async Task A_line_of_any_length_takes_no_memory()
    {
        long length = Environment.GetEnvironmentVariable("SERVERLESSBERT_LINE_BYTES") is { Length: > 0 } text
            ? long.Parse(text, System.Globalization.CultureInfo.InvariantCulture) : 300_000_000;
        long before = GC.GetAllocatedBytesForCurrentThread();
        Task<ReviewFilePlan> splitting = ReviewSplitter.SplitAsync(new EndlessLine(length), ReviewFormat.JsonLines, new ReviewOptions());
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1_000_000);
        Assert.True(splitting.IsCompleted, "The stream has its bytes at once, so that all was done on this thread.");
        ReviewFilePlan plan = await splitting;
        Assert.Equal((1, length, "line_too_long"), (plan.Rows, plan.Bytes, plan.Batches.Single().Error?.Code));
    }

    [Fact]
    public async Task Batches_end_at_their_rows_and_at_their_bytes()
    {
        byte[] content = ReviewFiles.Utf8(string.Concat(Enumerable.Range(0, 100).Select(row => new string('x', row) + "y\n")));
        var byRows = await ReviewFiles.SplitAsync(content, ReviewFormat.Text, new ReviewOptions { BatchRows = 7 });
        Assert.Equal([.. Enumerable.Repeat(7, 14), 2], byRows.Batches.Select(batch => batch.Rows));

        var byBytes = await ReviewFiles.SplitAsync(content, ReviewFormat.Text, new ReviewOptions { BatchBytes = 200 });
        Assert.All(byBytes.Batches, batch => Assert.InRange(batch.Length, 1, 200));
        Assert.All(byBytes.Batches.Zip(byBytes.Batches.Skip(1)),
            pair => Assert.True(pair.Second.Offset + pair.Second.Length - pair.First.Offset > 200));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    [InlineData(64)]
    public async Task Batches_grow_so_that_a_file_never_needs_more_than_the_limit(int maxBatches)
    {
        var options = new ReviewOptions { BatchRows = 2, BatchBytes = 30, MaxBatches = maxBatches };
        byte[] content = ReviewFiles.Utf8(string.Concat(Enumerable.Range(0, 1000).Select(row => $"review {row}\n")));
        ReviewFilePlan plan = await ReviewFiles.SplitAsync(content, ReviewFormat.Text, options);
        Assert.InRange(plan.Batches.Count, (maxBatches + 2) / 3, maxBatches);
        Assert.Equal(Enumerable.Range(0, plan.Batches.Count), plan.Batches.Select(batch => batch.Index));
        Assert.Equal(Enumerable.Range(0, 1000).Select(row => $"review {row}"),
            ReviewFiles.Read(content, plan, options).Select(review => review.Text));
    }

    [Fact]
    public async Task More_overlong_rows_than_batches_are_refused()
    {
        var options = new ReviewOptions { MaxRecordBytes = 1, MaxBatches = 4 };
        Assert.Equal("too_many_batches", (await ReviewFiles.RefusalOfAsync("aa\nb\naa\nb\naa\nb\n", ReviewFormat.Text, options)).Code);
    }

    [Fact]
    public async Task More_rows_than_the_limit_are_refused()
    {
        var options = new ReviewOptions { MaxRows = 3 };
        Assert.Equal(3, (await ReviewFiles.SplitAsync("a\nb\nc\n"u8.ToArray(), ReviewFormat.Text, options)).Rows);
        ReviewFileException refusal = await ReviewFiles.RefusalOfAsync("a\nb\nc\nd", ReviewFormat.Text, options);
        Assert.Equal(("too_many_rows", "The file has more than 3 rows; split it or raise MaxRows."), (refusal.Code, refusal.Message));
    }

    [Fact]
    public async Task More_bytes_than_the_limit_are_refused() =>
        Assert.Equal("too_large", (await ReviewFiles.RefusalOfAsync("a\nb\n", ReviewFormat.Text, new ReviewOptions { MaxBytes = 3 })).Code);

    [Fact]
    public async Task Splitting_can_be_cancelled() =>
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => ReviewSplitter.SplitAsync(
            new EndlessLine(long.MaxValue), ReviewFormat.Text, new ReviewOptions(), new CancellationTokenSource(100).Token));

    [Fact]
    public async Task A_range_that_is_not_the_batch_is_a_bug_and_is_named()
    {
        byte[] content = "one\ntwo\n"u8.ToArray();
        ReviewFilePlan plan = await ReviewFiles.SplitAsync(content, ReviewFormat.Text);
        Assert.Throws<ArgumentException>(() => ReviewReader.Read(content, plan.Layout, plan.Batches[0], new ReviewOptions()));
        Assert.Throws<ArgumentException>(() => ReviewReader.Read("one two"u8.ToArray(), plan.Layout, plan.Batches[0], new ReviewOptions()));
    }

    private sealed class EndlessLine(long length) : MemoryStream
    {
        private long _left = length;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int count = (int)Math.Min(buffer.Length, _left);
            buffer.Span[..count].Fill((byte)'x');
            _left -= count;
            return ValueTask.FromResult(count);
        }
    }
}
