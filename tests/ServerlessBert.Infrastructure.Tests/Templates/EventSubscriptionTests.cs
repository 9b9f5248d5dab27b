using System.Text.Json;
using ServerlessBert.Pipeline.Batches;
using ServerlessBert.Pipeline.Storage;

namespace ServerlessBert.Infrastructure.Tests;

public sealed class EventSubscriptionTests
{
    private static readonly JsonElement Properties =
        Bicep.Template.Module("eventSubscription").Resource("Microsoft.EventGrid/systemTopics/eventSubscriptions")
            .GetProperty("properties");

    private static JsonElement Filter => Properties.GetProperty("filter");

    [Fact]
    public void It_delivers_into_the_queue_that_SplitReviews_listens_to()
    {
        var destination = Properties.At("deliveryWithResourceIdentity.destination");
        Assert.Equal("StorageQueue", destination.GetProperty("endpointType").GetString());
        Assert.Equal(StorageNames.ReviewFiles, destination.At("properties.queueName").GetString());
        Assert.Contains(StorageNames.ReviewFiles, Triggers.Queues);
    }

    [Fact]
    public void It_delivers_and_dead_letters_by_the_topics_own_identity()
    {
        Assert.Equal("SystemAssigned",
            Bicep.Template.Module("events").Resource("Microsoft.EventGrid/systemTopics").At("identity.type").GetString());
        Assert.Equal("SystemAssigned", Properties.At("deliveryWithResourceIdentity.identity.type").GetString());
        Assert.Equal("SystemAssigned", Properties.At("deadLetterWithResourceIdentity.identity.type").GetString());
        Assert.False(Properties.TryGetProperty("destination", out _));
        Assert.False(Properties.TryGetProperty("deadLetterDestination", out _));
    }

    [Fact]
    public void What_cannot_be_delivered_is_kept_in_a_container_that_exists()
    {
        string? container = Properties.At("deadLetterWithResourceIdentity.deadLetterDestination.properties.blobContainerName").GetString();
        Assert.Contains(container, Bicep.Template.Module("storage").Variable("serviceContainers").Strings());
    }

    [Fact]
    public void It_waits_for_the_roles_and_for_the_apps_while_the_roles_become_known()
    {
        string[] waitsFor = Bicep.Template.Json.At("resources.eventSubscription.dependsOn").Strings();
        Assert.Contains("storageRoles", waitsFor);
        Assert.Contains("functions", waitsFor);
        Assert.Contains("trainer", waitsFor);
    }

    [Fact]
    public void Only_calls_that_end_a_blobs_writing_pass()
    {
        var filter = Assert.Single(Filter.GetProperty("advancedFilters").EnumerateArray());
        Assert.Equal("StringIn", filter.GetProperty("operatorType").GetString());
        Assert.Equal("data.api", filter.GetProperty("key").GetString());
        Assert.Equal(["CopyBlob", "FlushWithClose", "PutBlob", "PutBlockList"], filter.GetProperty("values").Strings().Order());
        Assert.Equal(["Microsoft.Storage.BlobCreated"], Filter.GetProperty("includedEventTypes").Strings());
    }

    [Fact]
    public void What_passes_is_read_by_the_code_as_a_dropped_file()
    {
        string subject = Filter.GetProperty("subjectBeginsWith").GetString() + "june/reviews.csv";
        foreach (string api in Filter.At("advancedFilters")[0].GetProperty("values").Strings())
        {
            var body = BinaryData.FromObjectAsJson(
                new { eventType = "Microsoft.Storage.BlobCreated", subject, data = new { api, eTag = "0x8D" } });
            Assert.Equal("june/reviews.csv", ReviewFileMessage.Parse(body)?.Blob.Value);
        }
    }
}
