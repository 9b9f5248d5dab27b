using Azure.Core.Pipeline;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Specialized;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Testing;

namespace ServerlessBert.Pipeline.Tests.Storage;

[Collection(AzuriteCollection.Name)]
public sealed class JsonBlobTests(AzuriteFixture azurite)
{
    [Fact]
    public async Task A_document_is_created_once_and_read_back_with_its_ETag()
    {
        var (_, document) = await NewAsync();
        Assert.Equal(new JsonReading<Tally>(), await document.ReadAsync());

        string? etag = await document.CreateAsync(new Tally(1));
        Assert.Null(await document.CreateAsync(new Tally(2)));

        var reading = await document.ReadAsync();
        Assert.Equal((new Tally(1), etag, null), (reading.Intact, reading.ETag, reading.Damage));
        Assert.True((await document.ReadAsync(etag)).IsUnchanged);
    }

    [Fact]
    public async Task A_write_on_what_was_read_before_another_write_is_refused()
    {
        var (_, document) = await NewAsync();
        string first = (await document.CreateAsync(new Tally(1)))!;
        Assert.NotNull(await document.WriteAsync(new Tally(2), first));
        Assert.Null(await document.WriteAsync(new Tally(3), first));
        Assert.Equal(2, (await document.ReadAsync()).Value!.Count);
    }

    [Fact]
    public async Task Ten_writers_at_once_lose_no_change()
    {
        var (_, document) = await NewAsync();
        await Task.WhenAll(Enumerable.Range(0, 10).Select(_ =>
            Task.Run(() => document.ChangeAsync(read => new Tally((read.Intact?.Count ?? 0) + 1)))));
        Assert.Equal(10, (await document.ReadAsync()).Value!.Count);
    }

    [Fact]
    public async Task A_writer_whose_answer_was_lost_finds_that_its_write_is_done()
    {
        var options = new BlobClientOptions { Transport = new HttpClientTransport(new HttpClient(new SentTwice())) };
        var storage = PipelineStorage.FromConnectionString(azurite.ConnectionString, AzuriteFixture.NewPrefix(), options);
        await PipelineStorage.FromConnectionString(azurite.ConnectionString, storage.Prefix).CreateAsync();
        var document = new JsonBlob<Tally>(storage.Container(StorageNames.Runs).GetBlobClient("tally.json"));

        string? first = await document.CreateAsync(new Tally(1));
        Assert.NotNull(first);
        Assert.NotNull(await document.WriteAsync(new Tally(2), first));
        Assert.True((await document.ChangeAsync(read => new Tally(read.Intact!.Count + 1))).IsWritten);
        Assert.Equal(3, (await document.ReadAsync()).Value!.Count);
    }

    [Fact]
    public async Task Who_is_outrun_without_end_gives_up_with_an_error()
    {
        var (blob, document) = await NewAsync();
        await document.CreateAsync(new Tally(0));
        int rounds = 0;
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        var error = await Assert.ThrowsAsync<IOException>(() => document.ChangeAsync(read =>
        {
            blob.Upload(new BinaryData($$"""{"count":{{--rounds}}}"""), overwrite: true);
            return new Tally(1);
        }, limit.Token));
        Assert.Contains("changed by others", error.Message);
        Assert.InRange(-rounds, 2, 100);
    }

    [Theory]
    [InlineData("<html>Service unavailable</html>")]
    [InlineData("""{"count":"many"}""")]
    [InlineData("null")]
    [InlineData("")]
    public async Task A_damaged_document_is_an_answer_and_can_be_replaced(string content)
    {
        var (blob, document) = await NewAsync();
        await blob.UploadAsync(new BinaryData(content));

        var reading = await document.ReadAsync();
        Assert.Null(reading.Value);
        Assert.Contains(document.Name, reading.Damage);
        Assert.Equal(reading.Damage, Assert.Throws<DamagedDocumentException>(() => reading.Intact).Message);
        await Assert.ThrowsAsync<DamagedDocumentException>(() => document.ChangeAsync(read => new Tally((read.Intact?.Count ?? 0) + 1)));

        Assert.True((await document.ChangeAsync(read => read.Damage is null ? null : new Tally(7))).IsWritten);
        Assert.Equal(7, (await document.ReadAsync()).Intact!.Count);
    }

    [Fact]
    public async Task A_document_under_a_foreign_lease_is_unwritable_at_once()
    {
        var (blob, document) = await NewAsync();
        await document.CreateAsync(new Tally(1));
        await blob.GetBlobLeaseClient().AcquireAsync(TimeSpan.FromSeconds(60));
        Assert.Contains("lease", (await Assert.ThrowsAsync<UnwritableBlobException>(() => document.ChangeAsync(_ => new Tally(2))))
            .Message);
        Assert.Equal(1, (await document.ReadAsync()).Value!.Count);
    }

    private async Task<(BlobClient Blob, JsonBlob<Tally> Document)> NewAsync()
    {
        var storage = await azurite.NewStorageAsync();
        BlobClient blob = storage.Container(StorageNames.Runs).GetBlobClient("tally.json");
        return (blob, new JsonBlob<Tally>(blob));
    }

    private sealed record Tally(int Count);

    // What a client does whose first answer was lost: a write arrives, and once more.
    private sealed class SentTwice() : DelegatingHandler(new SocketsHttpHandler())
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            if (request.Method != HttpMethod.Put || request.Content is null) return await base.SendAsync(request, cancellationToken);
            await request.Content.LoadIntoBufferAsync(cancellationToken);
            using (await base.SendAsync(request, cancellationToken)) { }
            return await base.SendAsync(request, cancellationToken);
        }
    }
}
