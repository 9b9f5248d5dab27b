using System.Diagnostics;
using System.IO.Compression;
using System.Text;
using ServerlessBert.Reviews.Decoding;

namespace ServerlessBert.Reviews.Tests;

public sealed class ReviewContentTests
{
    [Theory]
    [InlineData("a.jsonl", ReviewFormat.JsonLines, false)]
    [InlineData("in/2026/A.NDJSON", ReviewFormat.JsonLines, false)]
    [InlineData("a.csv.gz", ReviewFormat.Csv, true)]
    [InlineData("a.TSV", ReviewFormat.Tsv, false)]
    [InlineData("yelp/train-00000-of-00001.parquet", ReviewFormat.JsonLines, false)]
    [InlineData("a.b.Txt.GZ", ReviewFormat.Text, true)]
    public void A_name_tells_the_form_by_its_endings_in_any_case(string name, ReviewFormat expected, bool expectedCompressed)
    {
        Assert.True(ReviewContent.TryGetFormat(name, out ReviewFormat format, out bool isCompressed, out string? reason));
        Assert.Equal((expected, expectedCompressed, null), (format, isCompressed, reason));
    }

    [Theory]
    [InlineData("a.xlsx")]
    [InlineData("a.gz")]
    [InlineData("jsonl")]
    [InlineData("a.csv.gz.gz")]
    [InlineData("a.parquet.gz")]
    [InlineData("")]
    public void Another_name_is_refused_with_what_is_accepted(string name)
    {
        Assert.False(ReviewContent.TryGetFormat(name, out _, out _, out string? reason));
        Assert.Equal($"The name '{name}' does not say what the file holds; let it end in .jsonl, .ndjson, .json, .csv, .tsv or "
            + $".txt, each also with .gz, or in .parquet.", reason);
    }

    [Fact]
    public void Gzip_UTF_16_and_Parquet_need_rewriting_and_nothing_else()
    {
        Assert.True(ReviewContent.NeedsRewriting("a.PARQUET", "PAR1"u8));
        Assert.False(ReviewContent.NeedsRewriting("a.txt", "PAR1 is a fine golf course"u8));
        Assert.True(ReviewContent.NeedsRewriting("a.txt", Gzip("a"u8.ToArray())));
        Assert.True(ReviewContent.NeedsRewriting("a.txt", Encoding.Unicode.GetPreamble()));
        Assert.True(ReviewContent.NeedsRewriting("a.txt", Encoding.BigEndianUnicode.GetPreamble()));
        Assert.False(ReviewContent.NeedsRewriting("a.txt", Encoding.UTF8.GetPreamble()));
        Assert.False(ReviewContent.NeedsRewriting("a.txt", "text"u8));
        Assert.False(ReviewContent.NeedsRewriting("a.txt", [0x1f]));
        Assert.False(ReviewContent.NeedsRewriting("a.txt", []));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(100_000)]
    public async Task Every_wrapping_gives_the_same_content(int bytesPerRead)
    {
        string text = string.Concat(Enumerable.Range(0, 2000).Select(row => $"Bewertung {row}: schön 😀\n"));
        byte[] utf8 = Encoding.UTF8.GetBytes(text);
        byte[] utf16 = [.. Encoding.Unicode.GetPreamble(), .. Encoding.Unicode.GetBytes(text)];
        byte[] bigEndian = [.. Encoding.BigEndianUnicode.GetPreamble(), .. Encoding.BigEndianUnicode.GetBytes(text)];
        byte[] withBom = [.. Encoding.UTF8.GetPreamble(), .. utf8];

        Assert.Equal(utf8, await Utf8Async(utf8, bytesPerRead));
        Assert.Equal(utf8, await Utf8Async(Gzip(utf8), bytesPerRead));
        Assert.Equal(utf8, await Utf8Async([.. Gzip(utf8[..1000]), .. Gzip([]), .. Gzip(utf8[1000..])], bytesPerRead));
        Assert.Equal(withBom, await Utf8Async(utf16, bytesPerRead));
        Assert.Equal(withBom, await Utf8Async(bigEndian, bytesPerRead));
        Assert.Equal(withBom, await Utf8Async(Gzip(utf16), bytesPerRead));
        Assert.Empty(await Utf8Async([], bytesPerRead));
        Assert.Empty(await Utf8Async(Gzip([]), bytesPerRead));
    }

    [Fact]
    public async Task A_gzip_cut_short_anywhere_is_damaged_and_never_a_shorter_file()
    {
        byte[] gzip = [.. Gzip(Noise(3000)), .. Gzip(Noise(200))];
        int firstMember = Gzip(Noise(3000)).Length;
        for (int length = 2; length < gzip.Length; length++)
        {
            if (length == firstMember) continue;
            Assert.Equal("damaged_gzip", await CodeOfAsync(gzip[..length]));
        }
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(1, 7)]
    [InlineData(512, 1)]
    [InlineData(512, 1000)]
    [InlineData(200_000, 4096)]
    public async Task Zeros_behind_the_last_member_are_padding(int zeros, int bytesPerRead)
    {
        byte[] padding = new byte[zeros];
        Assert.Equal("a,b"u8.ToArray(), await Utf8Async([.. Gzip("a,b"u8.ToArray()), .. padding], bytesPerRead));
        Assert.Equal("a,b"u8.ToArray(), await Utf8Async([.. Gzip("a,"u8.ToArray()), .. Gzip("b"u8.ToArray()), .. padding], bytesPerRead));
        Assert.Empty(await Utf8Async([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, .. new byte[8], .. padding], bytesPerRead));
    }

    [Fact]
    public async Task Zeros_in_place_of_a_files_end_or_before_anything_else_are_damage()
    {
        byte[] gzip = Gzip(Noise(300));
        for (int length = 2; length < gzip.Length; length++)
        {
            // A last byte that is zero itself is not missed.
            if (gzip.AsSpan(length).IndexOfAnyExcept((byte)0) < 0) continue;
            Assert.Equal("damaged_gzip", await CodeOfAsync([.. gzip[..length], .. new byte[512]]));
        }
        Assert.Equal("damaged_gzip", await CodeOfAsync([.. gzip, .. new byte[512], .. "and more"u8]));
        Assert.Equal("damaged_gzip", await CodeOfAsync([.. gzip, .. "and more"u8, .. new byte[512]]));
        Assert.Equal("damaged_gzip", await CodeOfAsync([.. gzip, .. new byte[512], .. gzip]));
    }

    [Fact]
    public async Task Content_that_compresses_to_zeros_is_whole()
    {
        byte[] stored = Stored(new byte[150_000]);
        Assert.Equal(new byte[150_000], await Utf8Async(stored, 1000));
        Assert.Equal(new byte[150_000], await Utf8Async([.. stored, .. new byte[512]], 1000));
    }

    [Fact]
    public async Task A_gzip_with_a_flipped_bit_or_something_behind_it_is_damaged()
    {
        byte[] gzip = Gzip(Noise(3000));
        for (int index = 0; index < gzip.Length; index += 37)
        {
            // Bytes 3 to 9 are flags, time and system, which the content does not depend on.
            if (index is >= 3 and <= 9 or < 2) continue;
            byte[] flipped = [.. gzip];
            flipped[index] ^= 0x10;
            Assert.Equal("damaged_gzip", await CodeOfAsync(flipped));
        }
        Assert.Equal("damaged_gzip", await CodeOfAsync([.. gzip, .. "and more"u8]));
    }

    [Fact]
    public async Task A_gzip_bomb_is_refused_quickly()
    {
        byte[] bomb = Bomb(1L << 30);
        Assert.InRange(bomb.Length, 900_000, 1_200_000);
        var watch = Stopwatch.StartNew();
        var refusal = await Assert.ThrowsAsync<ReviewFileException>(
            () => ReviewContent.OpenAsUtf8(new MemoryStream(bomb), "a.txt", new ReviewOptions()).CopyToAsync(Stream.Null));
        Assert.Equal("decompression_ratio", refusal.Code);
        Assert.InRange(watch.Elapsed.TotalSeconds, 0, 2);
    }

    [Fact]
    public async Task Content_over_the_limit_is_refused_whatever_it_is_wrapped_in()
    {
        var options = new ReviewOptions { MaxBytes = 999 };
        byte[] content = new byte[1000];
        Assert.Equal("too_large", await CodeOfAsync(content, options));
        Assert.Equal("too_large", await CodeOfAsync(Gzip(content), options));
        Assert.Equal(999, (await Utf8Async(Gzip(content[1..]), 100, options)).Length);
    }

    private static async Task<byte[]> Utf8Async(byte[] content, int bytesPerRead, ReviewOptions? options = null)
    {
        var utf8 = new MemoryStream();
        await using Stream stream =
            ReviewContent.OpenAsUtf8(new DrippingStream(content, bytesPerRead), "a.txt", options ?? new ReviewOptions());
        byte[] buffer = new byte[bytesPerRead];
        for (int length; (length = await stream.ReadAsync(buffer)) > 0;) utf8.Write(buffer, 0, length);
        return utf8.ToArray();
    }

    private static async Task<string> CodeOfAsync(byte[] content, ReviewOptions? options = null) =>
        (await Assert.ThrowsAsync<ReviewFileException>(() => Utf8Async(content, 1000, options))).Code;

    private static byte[] Noise(int length)
    {
        byte[] noise = new byte[length];
        new Random(length).NextBytes(noise);
        return noise;
    }

    private static byte[] Bomb(long length)
    {
        var bomb = new MemoryStream();
        using (var gzip = new GZipStream(bomb, CompressionLevel.SmallestSize))
        {
            byte[] zeros = new byte[1 << 20];
            for (long written = 0; written < length; written += zeros.Length) gzip.Write(zeros);
        }
        return bomb.ToArray();
    }

    private static byte[] Stored(byte[] content)
    {
        var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionLevel.NoCompression)) gzip.Write(content);
        return compressed.ToArray();
    }

    private static byte[] Gzip(byte[] content)
    {
        var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionLevel.Optimal)) gzip.Write(content);
        return compressed.ToArray();
    }
}
