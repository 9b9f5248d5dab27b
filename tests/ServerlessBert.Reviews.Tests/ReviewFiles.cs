using System.Text;
using ServerlessBert.Reviews.Files;
using ServerlessBert.Reviews.Records;

namespace ServerlessBert.Reviews.Tests;

/// <summary>Reads contents as the functions do: split once, then each batch from its own range.</summary>
internal static class ReviewFiles
{
    public static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);

    public static Task<ReviewFilePlan> SplitAsync(byte[] content, ReviewFormat format, ReviewOptions? options = null) =>
        ReviewSplitter.SplitAsync(new MemoryStream(content), format, options ?? new ReviewOptions());

    public static async Task<List<Review>> ReadAsync(byte[] content, ReviewFormat format, ReviewOptions? options = null)
    {
        options ??= new ReviewOptions();
        return Read(content, await SplitAsync(content, format, options), options);
    }

    public static Task<List<Review>> ReadAsync(string content, ReviewFormat format, ReviewOptions? options = null) =>
        ReadAsync(Utf8(content), format, options);

    public static List<Review> Read(byte[] content, ReviewFilePlan plan, ReviewOptions options) =>
        [.. plan.Batches.SelectMany(batch => ReviewReader.Read(RangeOf(content, batch), plan.Layout, batch, options))];

    public static async Task<ReviewFileException> RefusalOfAsync(byte[] content, ReviewFormat format, ReviewOptions? options = null) =>
        await Assert.ThrowsAsync<ReviewFileException>(() => SplitAsync(content, format, options));

    public static Task<ReviewFileException> RefusalOfAsync(string content, ReviewFormat format, ReviewOptions? options = null) =>
        RefusalOfAsync(Utf8(content), format, options);

    private static ReadOnlyMemory<byte> RangeOf(byte[] content, ReviewBatch batch) =>
        batch.Error is null ? content.AsMemory((int)batch.Offset, (int)batch.Length) : default;
}

/// <summary>A stream that gives at most so many bytes a read, as networks do.</summary>
internal sealed class DrippingStream(byte[] content, int bytesPerRead) : MemoryStream(content)
{
    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        base.ReadAsync(buffer[..Math.Min(buffer.Length, bytesPerRead)], cancellationToken);

    public override int Read(Span<byte> buffer) => base.Read(buffer[..Math.Min(buffer.Length, bytesPerRead)]);
}
