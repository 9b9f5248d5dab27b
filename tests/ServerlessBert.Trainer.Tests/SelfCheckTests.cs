using Microsoft.Extensions.Configuration;
using ServerlessBert.Pipeline.Models;
using ServerlessBert.Pipeline.Operations;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Testing;

namespace ServerlessBert.Trainer.Tests;

[Collection(AzuriteCollection.Name)]
public sealed class SelfCheckTests(AzuriteFixture azurite)
{
    [Fact]
    public async Task Without_storage_it_passes_and_says_what_was_not_checked()
    {
        var (passed, said) = await CheckAsync([]);

        Assert.True(passed);
        Assert.Contains("libtorch: loads", said);
        Assert.Contains("devices: cpu", said);
        Assert.Contains("storage: not checked", said);
    }

    [Fact]
    public async Task The_live_model_is_loaded()
    {
        PipelineStorage storage = await azurite.NewStorageAsync();
        var settings = Settings(storage);
        Assert.Contains("model: none is live", (await CheckAsync(settings)).Said);
        var registry = new ModelRegistry(storage);
        string parent = Directory.CreateTempSubdirectory().FullName;
        ModelManifest model = await registry.PublishAsync(SmallModels.Save(parent));
        Directory.Delete(parent, recursive: true);
        await registry.PromoteAsync(model.Version, "test");

        var (passed, said) = await CheckAsync(settings);

        Assert.True(passed, said);
        Assert.Contains($"model: {model.Version} loads", said);
    }

    [Fact]
    public async Task A_torn_live_model_fails_the_check()
    {
        PipelineStorage storage = await azurite.NewStorageAsync();
        await storage.Container(StorageNames.Models).UploadBlobAsync(ModelPointer.FileName, new BinaryData("{}"));

        var (passed, said) = await CheckAsync(Settings(storage));

        Assert.False(passed);
        Assert.Contains("model: cannot be loaded", said);
    }

    [Fact]
    public async Task Storage_that_does_not_answer_fails_the_check()
    {
        var (passed, said) =
            await CheckAsync(
            new()
            {
                ["AzureWebJobsStorage"] =
            "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=aGVsbG8=;BlobEndpoint=http://127.0.0.1:9/a;QueueEndpoint=http://127.0.0.1:9/a;"
            });

        Assert.False(passed);
        Assert.Contains("storage: not reachable", said);
    }

    private Dictionary<string, string?> Settings(PipelineStorage storage) => new()
    {
        ["AzureWebJobsStorage"] = azurite.ConnectionString,
        [PipelineStorage.PrefixKey] = storage.Prefix,
    };

    private static async Task<(bool Passed, string Said)> CheckAsync(Dictionary<string, string?> settings)
    {
        var output = new StringWriter();
        bool passed = await SelfCheck.RunAsync(new ConfigurationBuilder().AddInMemoryCollection(settings).Build(), output);
        return (passed, output.ToString());
    }
}
