using ServerlessBert.Pipeline.Batches;
using ServerlessBert.Pipeline.Storage;

namespace ServerlessBert.Pipeline.Tests.Batches;

public sealed class ReviewFileMessageTests
{
    [Fact]
    public void The_sweeps_own_message_comes_back_as_it_was()
    {
        var message = new ReviewFileMessage { Blob = BlobName.Parse("a/ü b.csv"), ETag = "0x8D1" };

        Assert.Equal(message, ReviewFileMessage.Parse(message.ToBody()));
        Assert.Equal(
            """{"version":1,"blob":"a.csv","etag":"0x8D1"}""",
            new ReviewFileMessage { Blob = BlobName.Parse("a.csv"), ETag = "0x8D1" }.ToBody().ToString());
    }

    [Fact]
    public void An_etag_in_quotes_is_the_same_etag() =>
        Assert.Equal("0x8D1", ReviewFileMessage.Parse(new BinaryData("""{"blob":"a.csv","etag":"\"0x8D1\""}"""))!.ETag);

    [Theory]
    [InlineData("""{"eventType":"Microsoft.Storage.BlobCreated",""", "")]
    [InlineData("""{"specversion":"1.0","type":"Microsoft.Storage.BlobCreated",""", "")]
    [InlineData("""[{"eventType":"Microsoft.Storage.BlobCreated",""", "]")]
    public void Event_Grid_and_CloudEvents_tell_of_a_dropped_file(string head, string tail)
    {
        string json = head + """ "subject":"/blobServices/default/containers/reviews/blobs/2026/a b.csv","data":{"api":"PutBlob","eTag":"0x8D1","url":"https://x.blob.core.windows.net/reviews/2026/a%20b.csv"}}""" + tail;

        Assert.Equal(new ReviewFileMessage { Blob = BlobName.Parse("2026/a b.csv"), ETag = "0x8D1" },
            ReviewFileMessage.Parse(new BinaryData(json)));
    }

    [Theory]
    [InlineData("50% off.csv", "50%25%20off.csv")]
    [InlineData("a%20b.csv", "a%2520b.csv")]
    [InlineData("größe #1.csv", "gr%C3%B6%C3%9Fe%20%231.csv")]
    public void A_name_is_taken_from_the_url_whose_encoding_is_certain(string name, string encoded) =>
        Assert.Equal(name, Event("Microsoft.Storage.BlobCreated", "reviews", "PutBlob", name,
            $"https://x.blob.core.windows.net/reviews/{encoded}")!.Blob);

    [Fact]
    public void Without_a_url_the_subject_tells_the_name() =>
        Assert.Equal("a b.csv", Event("Microsoft.Storage.BlobCreated", "reviews", "PutBlob", "a%20b.csv", null)!.Blob);

    [Theory]
    [InlineData("Microsoft.Storage.BlobDeleted", "reviews", "DeleteBlob")]
    [InlineData("Microsoft.Storage.BlobCreated", "reviews-old", "PutBlob")]
    [InlineData("Microsoft.Storage.BlobCreated", "predictions", "CopyBlob")]
    [InlineData("Microsoft.Storage.BlobCreated", "reviews", "CreateFile")]
    public void An_event_about_something_else_is_no_file(string type, string container, string api) =>
        Assert.Null(Event(type, container, api, "a.csv", null));

    [Theory]
    [InlineData("not json", "not JSON")]
    [InlineData("[]", "0 events")]
    [InlineData("\"a.csv\"", "not an object")]
    [InlineData("""{"version":2,"blob":"a.csv"}""", "version 2")]
    [InlineData("""{"version":"1","blob":"a.csv"}""", "version")]
    [InlineData("""{"etag":"0x1"}""", "blob")]
    [InlineData("""{"blob":""}""", "is empty")]
    [InlineData("""{"eventType":"Microsoft.Storage.BlobCreated"}""", "no subject")]
    public void What_is_no_message_is_refused_with_a_sentence(string body, string part) =>
        Assert.Contains(part, Assert.Throws<MessageFormatException>(() => ReviewFileMessage.Parse(new BinaryData(body))).Message);

    private static ReviewFileMessage? Event(string type, string container, string api, string name, string? url) =>
        ReviewFileMessage.Parse(BinaryData.FromObjectAsJson(new
        {
            eventType = type,
            subject = $"/blobServices/default/containers/{container}/blobs/{name}",
            data = new { api, eTag = "0x1", url },
        }));
}
