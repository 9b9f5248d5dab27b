using System.Xml;
using Azure;
using Azure.Storage.Blobs;
using ServerlessBert.Pipeline.Storage;

namespace ServerlessBert.Pipeline.Tests.Storage;

public sealed class StorageErrorsTests
{
    private static readonly BlobClient Blob = new(new Uri("https://account.blob.core.windows.net/predictions/a.jsonl"));

    [Theory]
    [InlineData(412, "ConditionNotMet", StorageFault.WrittenInBetween)]
    [InlineData(409, "BlobAlreadyExists", StorageFault.WrittenInBetween)]
    [InlineData(412, "LeaseIdMissing", StorageFault.Unwritable)]
    [InlineData(409, "LeaseIdMismatchWithBlobOperation", StorageFault.Unwritable)]
    [InlineData(409, "BlobArchived", StorageFault.Unwritable)]
    [InlineData(409, "BlobImmutableDueToPolicy", StorageFault.Unwritable)]
    [InlineData(409, "SnapshotsPresent", StorageFault.Unwritable)]
    [InlineData(409, null, StorageFault.Unwritable)]
    [InlineData(404, "BlobNotFound", StorageFault.NotFound)]
    [InlineData(429, "TooManyRequests", StorageFault.Unreachable)]
    [InlineData(503, "ServerBusy", StorageFault.Unreachable)]
    [InlineData(0, null, StorageFault.Unreachable)]
    [InlineData(400, "InvalidBlockList", StorageFault.Refused)]
    [InlineData(403, "AuthorizationPermissionMismatch", StorageFault.Refused)]
    public void Only_a_condition_of_our_own_means_that_somebody_wrote_first(int status, string? code, StorageFault fault) =>
        Assert.Equal(fault, StorageErrors.FaultOf(new RequestFailedException(status, "Said.", code, null)));

    [Theory]
    [InlineData(412, "LeaseIdMissing", "There is a lease.", "lease")]
    [InlineData(409, "BlobArchived", "Archived.", "archive tier")]
    [InlineData(409, "BlobImmutableDueToPolicy", "Immutable due to a policy.", "immutability policy")]
    [InlineData(409, "BlobImmutableDueToPolicy", "Immutable due to one or more legal holds.", "legal hold")]
    [InlineData(409, "SomethingNew", "It said so.\nRequestId: 1", "SomethingNew")]
    public void What_holds_a_blob_is_a_sentence_that_names_blob_and_holder(int status, string code, string message, string part)
    {
        string sentence = StorageErrors.Unwritable(Blob, new RequestFailedException(status, message, code, null)).Message;
        Assert.StartsWith("predictions/a.jsonl ", sentence);
        Assert.Contains(part, sentence);
        Assert.DoesNotContain('\n', sentence);
    }

    [Fact]
    public void What_was_only_not_reached_may_be_tried_again()
    {
        Exception[] unreachable =
        [
            new HttpRequestException("reset"), new IOException("cut"), new TaskCanceledException("timeout"), new XmlException("no XML"),
            new RequestFailedException(500, "Said."), new AggregateException(new IOException("1"), new RequestFailedException(503, "2")),
        ];
        Exception[] others = [new RequestFailedException(403, "Said."),
            new AggregateException(new IOException("1"), new FormatException("2")), new FormatException()];
        Assert.All(unreachable, exception => Assert.True(StorageErrors.IsUnreachable(exception)));
        Assert.All(others, exception => Assert.False(StorageErrors.IsUnreachable(exception)));
    }
}
