using System.Net;
using System.Text;
using Azure.Core.Pipeline;
using Azure.Storage.Blobs;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Testing;

namespace ServerlessBert.Pipeline.Tests.Storage;

/// <summary>Something on the way to storage answers in its place.</summary>
[Collection(AzuriteCollection.Name)]
public sealed class AnsweredByStorageTests(AzuriteFixture azurite)
{
    [Theory]
    [InlineData(HttpStatusCode.OK)]
    [InlineData(HttpStatusCode.NotFound)]
    [InlineData(HttpStatusCode.PreconditionFailed)]
    public async Task An_answer_that_is_not_storages_is_asked_for_again(HttpStatusCode status)
    {
        var gateway = new Gateway(status);
        var storage = await NewAsync(gateway);
        var blob = storage.Container(StorageNames.Runs).GetBlobClient("a.json");
        await blob.UploadAsync(new BinaryData("true"));

        gateway.Pages = 2;
        Assert.Equal("true", (await blob.DownloadContentAsync()).Value.Content.ToString());
        gateway.Pages = 2;
        Assert.Equal(4, (await blob.GetPropertiesAsync()).Value.ContentLength);
        Assert.Equal(0, gateway.Pages);
    }

    [Fact]
    public async Task Where_it_never_comes_the_error_says_so_and_may_be_tried_again()
    {
        var gateway = new Gateway(HttpStatusCode.OK);
        var storage = await NewAsync(gateway);
        gateway.Pages = int.MaxValue;
        var error = await Record.ExceptionAsync(() =>
            storage.Container(StorageNames.Runs).GetBlobClient("a.json").TryGetPropertiesAsync(default));
        Assert.True(StorageErrors.IsUnreachable(error!));
        Assert.Contains("not the storage account", StorageErrors.Sentence(error!));
    }

    private async Task<PipelineStorage> NewAsync(Gateway gateway)
    {
        var options = new BlobClientOptions { Transport = new HttpClientTransport(new HttpClient(gateway)) };
        options.Retry.Delay = TimeSpan.FromMilliseconds(1);
        options.Retry.MaxDelay = TimeSpan.FromMilliseconds(5);
        var storage = PipelineStorage.FromConnectionString(azurite.ConnectionString, AzuriteFixture.NewPrefix(), options);
        await storage.CreateAsync();
        return storage;
    }

    private sealed class Gateway(HttpStatusCode status) : DelegatingHandler(new SocketsHttpHandler())
    {
        public int Pages { get; set; }

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            Pages > 0 && Pages-- > 0
            ? new HttpResponseMessage(status)
            {
                Content = new StringContent("<html>Sign in</html>", Encoding.UTF8, "text/html"),
                RequestMessage = request
            }
            : await base.SendAsync(request, cancellationToken);
    }
}
