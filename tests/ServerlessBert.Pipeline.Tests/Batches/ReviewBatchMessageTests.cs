using ServerlessBert.Pipeline.Batches;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Reviews;

namespace ServerlessBert.Pipeline.Tests.Batches;

public sealed class ReviewBatchMessageTests
{
    private static ReviewBatchMessage Message { get; } = new()
    {
        Run = RunId.Parse("0123456789abcdef"),
        Blob = BlobName.Parse("a.csv"),
        ETag = "0x8D1",
        Model = "20261122T101500Z-3fa9c1",
        Batches = 7,
        IsRewritten = true,
        Layout = new ReviewLayout { Format = ReviewFormat.Csv, TextColumn = 1, StarsColumn = 0 },
        Batch = new ReviewBatch
        {
            Index = 6,
            Offset = 5_000_000_000,
            Length = 100,
            FirstRow = 700,
            Rows = 3,
            Error = new RowError("line_too_long", "It is.")
        },
    };

    [Fact]
    public void A_message_says_all_that_a_batch_needs() => Assert.Equal(Message, ReviewBatchMessage.Parse(Message.ToBody()));

    [Fact]
    public void A_message_stays_small() => Assert.InRange(Message.ToBody().ToMemory().Length, 1, 1024);

    [Theory]
    [InlineData("""{"version":1}""", "run")]
    [InlineData("""{"version":9}""", "version 9")]
    [InlineData("[1]", "not an object")]
    public void What_is_no_message_is_refused_with_a_sentence(string body, string part) =>
        Assert.Contains(part, Assert.Throws<MessageFormatException>(() => ReviewBatchMessage.Parse(new BinaryData(body))).Message);

    [Fact]
    public void A_batch_beyond_the_last_is_refused() =>
        Assert.Throws<MessageFormatException>(() => ReviewBatchMessage.Parse((Message with { Batches = 6 }).ToBody()));
}
