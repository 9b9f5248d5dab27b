using System.Globalization;
using CsCheck;
using Parquet;
using Parquet.Schema;
using ServerlessBert.Reviews.Decoding;
using ServerlessBert.Reviews.Files;
using ServerlessBert.Testing;
using Column = ParquetSharp.Column;
using Compression = ParquetSharp.Compression;
using LogicalType = ParquetSharp.LogicalType;

namespace ServerlessBert.Reviews.Tests;

public sealed class ParquetTests
{
    private static readonly (string? Text, long? Label)[] Some =
        [("the food was \"great\"\nand more", 4), (null, 0), ("schön 😀", null), (" ", 1), ("bad", 9)];

    [Theory]
    [InlineData(CompressionMethod.None)]
    [InlineData(CompressionMethod.Snappy)]
    [InlineData(CompressionMethod.Gzip)]
    [InlineData(CompressionMethod.Zstd)]
    [InlineData(CompressionMethod.Brotli)]
    public async Task Every_row_keeps_its_place_with_its_text_and_label(CompressionMethod compression)
    {
        List<Review> reviews = await ReadAsync(await ParquetFiles.WriteAsync(Some, groupRows: 2, compression));

        Assert.Equal(["the food was \"great\"\nand more", "", "schön 😀", "", "bad"], reviews.Select(review => review.Text));
        Assert.Equal([null, "missing_text", null, "empty_text", null], reviews.Select(review => review.Error?.Code));
        Assert.Equal([5, 1, null, 2, null], reviews.Select(review => review.Stars));
        Assert.Equal("invalid_label", reviews[4].LabelError?.Code);
    }

    [Fact]
    public async Task Any_number_type_is_a_rating_and_any_id_is_kept()
    {
        var (text, stars, id, when) =
            (new DataField<string>("Review"), new DataField<double>("stars"), new DataField<int>("id"), new DataField<DateTime>("written"));
        var file = new MemoryStream();
        await using (ParquetWriter writer = await ParquetWriter.CreateAsync(new ParquetSchema(when, text, stars, id), file))
        {
            using ParquetRowGroupWriter columns = writer.CreateRowGroup();
            await columns.WriteAsync<DateTime>(when, new[] { DateTime.UnixEpoch, DateTime.UnixEpoch });
            await columns.WriteAsync(text, ["a", "b"]);
            await columns.WriteAsync<double>(stars, new[] { 4.0, 4.5 });
            await columns.WriteAsync<int>(id, new[] { 7, 8 });
            columns.CompleteValidate();
        }

        List<Review> reviews = await ReadAsync(file.ToArray());

        Assert.Equal([("a", 4, "7", null), ("b", null, "8", "invalid_stars")],
            reviews.Select(review => (review.Text, review.Stars, review.Id, review.LabelError?.Code)));
    }

    [Fact]
    public async Task Whatever_the_row_groups_and_batches_the_rows_are_the_same() =>
        await Gen.Select(Gen.String.Array[0, 60], Gen.Int[1, 30], Gen.Int[1, 9]).SampleAsync(
            async (texts, groupRows, batchRows) =>
            {
                // A lone surrogate is no text that UTF-8 can hold.
                string[] whole = [.. texts.Select(text => System.Text.Encoding.UTF8.GetString(System.Text.Encoding.UTF8.GetBytes(text)))];
                byte[] file = await ParquetFiles.WriteAsync([.. whole.Select(text => ((string?)text, (long?)2))], groupRows);
                if (whole.Length == 0)
                {
                    Assert.Equal("empty_file", (await Assert.ThrowsAsync<ReviewFileException>(() => ReadAsync(file))).Code);
                    return;
                }
                List<Review> reviews = await ReadAsync(file, new ReviewOptions { BatchRows = batchRows });
                Assert.Equal(Enumerable.Range(0, whole.Length).Select(row => (long)row), reviews.Select(review => review.Row));
                Assert.Equal(whole.Select(text => string.IsNullOrWhiteSpace(text) ? "" : text), reviews.Select(review => review.Text));
            },
            iter: 200, threads: 1);

    [Fact]
    public async Task A_file_that_is_none_is_refused_with_what_to_do()
    {
        Assert.Equal("damaged_parquet", await CodeAsync([]));
        var refusal = await Assert.ThrowsAsync<ReviewFileException>(() => ReadAsync("{\"text\":\"no Parquet\"}\n"u8.ToArray()));
        Assert.StartsWith("The file is no Parquet file, or it is damaged (", refusal.Message, StringComparison.Ordinal);
        Assert.EndsWith("); write it again and drop it again.", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_cut_short_anywhere_is_damaged_and_never_a_shorter_file()
    {
        byte[] file = await ParquetFiles.WriteAsync(Some, groupRows: 2);
        for (int length = 0; length < file.Length; length += 7) Assert.Equal("damaged_parquet", await CodeAsync(file[..length]));
    }

    [Fact]
    public async Task Flipped_bits_give_a_declared_refusal_or_as_many_rows_and_nothing_else()
    {
        byte[] file = await ParquetFiles.WriteAsync(Some, groupRows: 2);
        for (int bit = 0; bit < file.Length * 8; bit++)
        {
            byte[] flipped = [.. file];
            flipped[bit / 8] ^= (byte)(1 << (bit % 8));
            try
            {
                Assert.NotEmpty(
                    await ReadAsync(flipped, new ReviewOptions { MaxRowGroupBytes = 1_000_000 }).WaitAsync(TimeSpan.FromSeconds(20)));
            }
            catch (ReviewFileException refusal)
            {
                Assert.NotEmpty(refusal.Message);
            }
        }
    }

    [Fact]
    public async Task Limits_hold()
    {
        byte[] file = await ParquetFiles.WriteAsync([.. Enumerable.Repeat<(string?, long?)>((new string('a', 1000), 1), 500)]);
        Assert.Equal("too_many_rows", await CodeAsync(file, new ReviewOptions { MaxRows = 499 }));
        Assert.Equal("too_large", await CodeAsync(file, new ReviewOptions { MaxBytes = 100_000 }));
        Assert.Equal("row_group_too_large", await CodeAsync(file, new ReviewOptions { MaxRowGroupBytes = 1000 }));
        Assert.All(await ReadAsync(file, new ReviewOptions { MaxRecordBytes = 500 }),
            review => Assert.Equal("line_too_long", review.Error?.Code));

        byte[] repetitive =
            await ParquetFiles.WriteAsync(
            [.. Enumerable.Repeat<(string?, long?)>((new string('a', 100_000), 1), 300)], compression: CompressionMethod.Brotli);
        Assert.Equal("decompression_ratio", await CodeAsync(repetitive, new ReviewOptions { MaxDecompressionRatio = 10 }));
        Assert.Equal("no_text_column", await CodeAsync(await ParquetFiles.WriteAsync(Some, textName: "remark")));
    }

    [Fact]
    public async Task A_file_from_a_pipe_is_read_too()
    {
        byte[] file = await ParquetFiles.WriteAsync(Some);
        var reviews = new List<Review>();
        await foreach (Review review in ReviewFileReader.ReadAsync(new PipeStream(file), "a.parquet", new ReviewOptions())) reviews.Add(
            review);
        Assert.Equal(Some.Length, reviews.Count);
    }

    [Fact]
    public async Task Columns_of_other_names_are_skipped_whatever_they_hold()
    {
        Column[] columns =
        [
            new ParquetSharp.Column<Half>("score"), new ParquetSharp.Column<string[]>("tags"), new ParquetSharp.Column<DateTime>("stars_at"), new ParquetSharp.Column<TimeSpan>("took"), new ParquetSharp.Column<Guid?>("key"),
            new ParquetSharp.Column<bool?>("verified"), new ParquetSharp.Column<byte[]>("photo"), new ParquetSharp.Column<string>("text"), new ParquetSharp.Column<decimal>("stars", LogicalType.Decimal(29, 2)),
        ];
        byte[] file = NativeParquet.Write(columns, Compression.Snappy, group =>
        {
            group.Write<Half>([(Half)0.5, Half.NaN]);
            group.Write<string[]>([["a", "b"], []]);
            group.Write([DateTime.UnixEpoch, DateTime.UnixEpoch]);
            group.Write([TimeSpan.Zero, TimeSpan.FromDays(1)]);
            group.Write<Guid?>([null, Guid.Empty]);
            group.Write<bool?>([true, null]);
            group.Write<byte[]>([[0xff], []]);
            group.Write(["a", "b"]);
            group.Write([4.00m, 4.50m]);
        });

        List<Review> reviews = await ReadAsync(file);

        Assert.Equal([("a", 4, null), ("b", null, "invalid_stars")],
            reviews.Select(review => (review.Text, review.Stars, review.LabelError?.Code)));
    }

    [Theory]
    [InlineData(Compression.Lz4)]
    [InlineData(Compression.Lz4Hadoop)]
    public async Task Both_kinds_of_LZ4_are_read(Compression compression)
    {
        byte[] file = NativeParquet.Write(
            [new ParquetSharp.Column<string?>("text")], compression, group => group.Write<string?>(["schön 😀", null, "bad"]));
        Assert.Equal(["schön 😀", "", "bad"], (await ReadAsync(file)).Select(review => review.Text));
    }

    [Fact]
    public async Task An_id_is_written_as_its_type_says()
    {
        Assert.Equal(["18446744073709551615"], await IdsAsync(new ParquetSharp.Column<ulong>("id"), ulong.MaxValue));
        Assert.Equal(["4294967295"], await IdsAsync(new ParquetSharp.Column<uint>("id"), uint.MaxValue));
        Assert.Equal(["-9223372036854775808"], await IdsAsync(new ParquetSharp.Column<long>("id"), long.MinValue));
        Assert.Equal(["00112233-4455-6677-8899-aabbccddeeff"],
            await IdsAsync(new ParquetSharp.Column<Guid>("id"), new Guid("00112233-4455-6677-8899-aabbccddeeff")));
        Assert.Equal(["-0.05"], await IdsAsync(new ParquetSharp.Column<decimal>("id", LogicalType.Decimal(29, 2)), -0.05m));
        Assert.Equal(["0.5"], await IdsAsync(new ParquetSharp.Column<Half>("id"), (Half)0.5));
        Assert.Equal([null], await IdsAsync(new ParquetSharp.Column<DateTime>("id"), DateTime.UnixEpoch));
    }

    [Fact]
    public async Task A_row_group_of_many_pages_and_more_rows_than_are_read_at_once_is_whole()
    {
        string?[] texts = [.. Enumerable.Range(0, 5000).Select(row => row % 7 == 0 ? null : $"review {row} {new string('x', row % 90)}")];
        byte[] file = NativeParquet.Write(
            [new ParquetSharp.Column<string?>("text"), new ParquetSharp.Column<int>("id")], Compression.Zstd, group =>
        {
            group.Write(texts);
            group.Write([.. Enumerable.Range(0, texts.Length)]);
        });
        List<Review> reviews = await ReadAsync(file);
        Assert.Equal(texts.Select(text => text ?? ""), reviews.Select(review => review.Text));
        Assert.Equal(Enumerable.Range(0, texts.Length).Select(row => $"{row}"), reviews.Select(review => review.Id));
    }

    [Theory]
    [InlineData(2_000, "no_text_column")]
    [InlineData(100_000, "too_many_row_groups")] // deep enough to overflow the stack of the thread that reads it
    [InlineData(2_000_000, "too_many_row_groups")]
    public async Task Columns_nested_without_end_are_refused_and_end_no_process(int levels, string code) =>
        Assert.Equal(code, await CodeAsync(NativeParquet.NestedSchema(levels)));

    [Fact]
    public async Task A_stream_that_is_abandoned_in_the_middle_ends_no_process()
    {
        byte[] file = await ParquetFiles.WriteAsync(Some);
        for (int stream = 0; stream < 20; stream++) await AbandonAsync(file);
        for (int collection = 0; collection < 3; collection++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
        Assert.Equal(Some.Length, (await ReadAsync(file)).Count);

        static async Task AbandonAsync(byte[] file) =>
            Assert.Equal(1, await ReviewContent.OpenAsUtf8(new MemoryStream(file), "a.parquet", new ReviewOptions())
                .ReadAsync(new byte[1]));
    }

    /// <summary>SERVERLESSBERT_FUZZ says how many.</summary>
    [Fact]
    public async Task A_mutated_file_is_read_row_for_row_or_refused_with_a_sentence()
    {
        int count = int.Parse(Environment.GetEnvironmentVariable("SERVERLESSBERT_FUZZ") ?? "20000", CultureInfo.InvariantCulture);
        IReadOnlyList<byte[]> seeds = NativeParquet.Seeds();
        var random = new Random(20261125);
        int read = 0;
        for (int mutation = 0; mutation < count; mutation++)
        {
            byte[] file = NativeParquet.Mutate(seeds[random.Next(seeds.Count)], random);
            try
            {
                List<Review> reviews = await ReadAsync(file, new ReviewOptions { MaxRowGroupBytes = 1_000_000 });
                Assert.Equal(Enumerable.Range(0, reviews.Count).Select(row => (long)row), reviews.Select(review => review.Row));
                read++;
            }
            catch (ReviewFileException refusal)
            {
                Assert.EndsWith(".", refusal.Message, StringComparison.Ordinal);
                Assert.DoesNotContain("ParquetException", refusal.Message, StringComparison.Ordinal);
            }
        }
        Assert.InRange(read, count / 20, count);
    }

    [Fact]
    public async Task A_failure_of_storage_is_not_the_files()
    {
        byte[] file = await ParquetFiles.WriteAsync(Some);
        var content = new FailingStream(file);
        await Assert.ThrowsAsync<IOException>(
            () => ReviewContent.OpenAsUtf8(content, "a.parquet", new ReviewOptions()).CopyToAsync(Stream.Null));
    }

    private static async Task<IEnumerable<string?>> IdsAsync<T>(ParquetSharp.Column<T> id, T value)
    {
        byte[] file = NativeParquet.Write([id, new ParquetSharp.Column<string>("text")], Compression.Uncompressed, group =>
        {
            group.Write<T>([value]);
            group.Write(["a"]);
        });
        return (await ReadAsync(file)).Select(review => review.Id);
    }

    private static async Task<List<Review>> ReadAsync(byte[] file, ReviewOptions? options = null)
    {
        var reviews = new List<Review>();
        await foreach (Review review in ReviewFileReader.ReadAsync(
            new MemoryStream(file), "a.parquet", options ?? new ReviewOptions())) reviews.Add(review);
        return reviews;
    }

    private static async Task<string> CodeAsync(byte[] file, ReviewOptions? options = null) =>
        (await Assert.ThrowsAsync<ReviewFileException>(() => ReadAsync(file, options))).Code;

    private sealed class PipeStream(byte[] content) : MemoryStream(content)
    {
        public override bool CanSeek => false;
    }

    // What stands first and last can be read; what is between cannot.
    private sealed class FailingStream(byte[] content) : MemoryStream(content)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            Position is > 4 and < 100 ? throw new IOException("The connection broke.") : base.ReadAsync(buffer, cancellationToken);

        public override int Read(byte[] buffer, int offset, int count) =>
            Position is > 4 and < 100 ? throw new IOException("The connection broke.") : base.Read(buffer, offset, count);

        public override int Read(Span<byte> buffer) =>
            Position is > 4 and < 100 ? throw new IOException("The connection broke.") : base.Read(buffer);
    }
}
