using Azure.Storage.Queues;
using Microsoft.Extensions.Configuration;
using ServerlessBert.Pipeline.Settings;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Testing;

namespace ServerlessBert.Pipeline.Tests.Storage;

[Collection(AzuriteCollection.Name)]
public sealed class PipelineStorageTests(AzuriteFixture azurite)
{
    [Fact]
    public void Development_storage_is_Azurites_account() =>
        Assert.Equal("devstoreaccount1", From(("AzureWebJobsStorage", PipelineStorage.DevelopmentStorage)).AccountName);

    [Fact]
    public void An_account_name_stands_for_managed_identity_on_its_endpoints()
    {
        var storage = From(("AzureWebJobsStorage:accountName", "contoso"),
            ("AzureWebJobsStorage:clientId", "11111111-1111-1111-1111-111111111111"));

        Assert.Equal("https://contoso.blob.core.windows.net/reviews", storage.Container(StorageNames.Reviews).Uri.ToString());
        Assert.Equal("https://contoso.queue.core.windows.net/review-files", storage.Queue(StorageNames.ReviewFiles).Uri.ToString());
    }

    [Fact]
    public void Service_uris_stand_for_managed_identity_elsewhere()
    {
        var storage = From(("AzureWebJobsStorage:blobServiceUri", "https://b.example"),
            ("AzureWebJobsStorage:queueServiceUri", "https://q.example"));

        Assert.Equal("https://b.example/models", storage.Container(StorageNames.Models).Uri.ToString());
        Assert.Equal("https://q.example/review-batches", storage.Queue(StorageNames.ReviewBatches).Uri.ToString());
    }

    [Fact]
    public void A_prefix_stands_before_every_name() =>
        Assert.EndsWith("/test-runs",
            From(("AzureWebJobsStorage", PipelineStorage.DevelopmentStorage), ("ServerlessBert:Storage:Prefix", "test-"))
                .Container(StorageNames.Runs).Uri.ToString());

    [Fact]
    public void No_configuration_is_a_clear_error() =>
        Assert.Contains("AzureWebJobsStorage", Assert.Throws<SettingsException>(() => From()).Message);

    [Fact]
    public void A_broken_connection_string_is_a_clear_error_that_does_not_repeat_it()
    {
        string message = Assert.Throws<SettingsException>(() => From(("AzureWebJobsStorage", "AccountKey=secret"))).Message;

        Assert.Contains("connection string", message);
        Assert.DoesNotContain("secret", message);
    }

    [Fact]
    public async Task Creating_what_is_there_is_harmless_and_messages_are_Base64()
    {
        var storage = await azurite.NewStorageAsync();
        await storage.CreateAsync();

        await storage.Queue(StorageNames.ReviewFiles).SendMessageAsync(new BinaryData("é"));

        // A client that does not decode sees what is on the wire.
        var wire = new QueueClient(azurite.ConnectionString, storage.Queue(StorageNames.ReviewFiles).Name);
        Assert.Equal("w6k=", (await wire.PeekMessageAsync()).Value.Body.ToString());
        foreach (string name in StorageNames.Containers) Assert.True(await storage.Container(name).ExistsAsync());
        foreach (string name in StorageNames.Queues) Assert.True(await storage.Queue(name).ExistsAsync());
    }

    private static PipelineStorage From(params (string Key, string Value)[] settings) => PipelineStorage.FromConfiguration(
        new ConfigurationBuilder()
            .AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create(setting.Key, (string?)setting.Value))).Build());
}
