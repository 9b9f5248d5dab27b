using Azure.Storage.Blobs;
using CsCheck;
using ServerlessBert.Pipeline.Batches;
using ServerlessBert.Pipeline.Storage;

namespace ServerlessBert.Pipeline.Tests.Storage;

public sealed class CheckedNamesTests
{
    private const string Symbols = "ab./\\%2e?# :@é\u0000\ud800";
    private static readonly BlobContainerClient Container = new(new Uri("https://account.blob.core.windows.net/predictions"));

    [Theory]
    [InlineData("a.csv")]
    [InlineData("2026/a b.jsonl.gz")]
    [InlineData("ü/好 100%.csv")]
    [InlineData("a..b/..c/d...csv")]
    [InlineData("what?#&+.txt")]
    [InlineData("50%2e%2e/x.csv")]
    [InlineData("a//b.csv")]
    [InlineData("quote'\"s.csv")]
    public void An_ordinary_name_is_taken_as_it_is(string name) => Assert.Equal(name, BlobName.Parse(name).Value);

    [Theory]
    [InlineData("")]
    [InlineData(null)]
    [InlineData("../training-data/x.csv")]
    [InlineData("a/../../training-data/x.csv")]
    [InlineData("..")]
    [InlineData("./x.csv")]
    [InlineData("a/..")]
    [InlineData("..\\training-data\\x.csv")]
    [InlineData("a\n.csv")]
    [InlineData("\u001b[31m.csv")]
    public void A_name_that_leads_elsewhere_is_refused_with_a_sentence(string? name)
    {
        Assert.False(BlobName.TryParse(name, out _, out string? reason));
        Assert.EndsWith(".", reason);
        Assert.DoesNotContain('\u001b', reason!);
    }

    [Fact]
    public void A_name_longer_than_storage_takes_or_with_half_a_character_is_refused()
    {
        Assert.True(BlobName.TryParse(new string('a', 1024), out _, out _));
        Assert.False(BlobName.TryParse(new string('a', 1025), out _, out _));
        Assert.False(BlobName.TryParse("half \ud800.csv", out _, out _)); // an attribute cannot hold half a character
    }

    [Fact]
    public void Whatever_name_is_taken_its_blob_is_in_the_container_under_that_name() =>
        Gen.Int[0, Symbols.Length - 1].Select(symbol => Symbols[symbol]).Array[1, 12].Sample(symbols =>
        {
            string text = new(symbols);
            if (!BlobName.TryParse(text, out var name, out _)) return;
            var place = new BlobUriBuilder(Container.GetBlobClient(name).Uri);
            Assert.Equal(("predictions", text), (place.BlobContainerName, place.BlobName));
        });

    [Theory]
    [InlineData("0123456789abcdef", true)]
    [InlineData("0123456789ABCDEF", false)]
    [InlineData("0123456789abcde", false)]
    [InlineData("../../../../../x", false)]
    [InlineData("drift/0123456789", false)]
    [InlineData(null, false)]
    public void A_runs_id_is_sixteen_lower_case_digits(string? id, bool isOne)
    {
        Assert.Equal(isOne, RunId.TryParse(id, out _));
        if (isOne) Assert.Equal(id, RunId.Parse(id).ToString());
        else Assert.Throws<FormatException>(() => RunId.Parse(id));
    }

    [Theory]
    [InlineData("""{"blob":"../training-data/x.csv"}""")]
    [InlineData("""{"blob":"a/../../models/current.json","etag":"0x8D1"}""")]
    [InlineData("""{"blob":7}""")]
    [InlineData("""{"blob":"a.csv","etag":"0x8D1\r\nx-ms-lease-id: 1"}""")]
    [InlineData("""{"eventType":"Microsoft.Storage.BlobCreated","subject":"/blobServices/default/containers/reviews/blobs/../training-data/x.csv","data":{}}""")]
    public void A_file_message_never_leads_out_of_its_container(string body) =>
        Assert.Throws<MessageFormatException>(() => ReviewFileMessage.Parse(new BinaryData(body)));

    [Theory]
    [InlineData("\"run\":\"0123456789abcdef\"", "\"run\":\"../training-data\"")]
    [InlineData("\"blob\":\"a.csv\"", "\"blob\":\"../training-data/x.csv\"")]
    [InlineData("\"model\":\"20261122T101500Z-3fa9c1\"", "\"model\":\"../../x\"")]
    [InlineData("\"offset\":10", "\"offset\":-10")]
    [InlineData("\"length\":100", "\"length\":4294967296")]
    [InlineData("\"index\":6", "\"index\":-1")]
    [InlineData("\"batches\":7", "\"batches\":70000")]
    public void A_batch_message_with_one_field_out_of_its_range_is_refused(string good, string bad)
    {
        const string body = """{"run":"0123456789abcdef","blob":"a.csv","etag":"0x8D1","model":"20261122T101500Z-3fa9c1","batches":7,"layout":{"format":"csv","textColumn":1},"batch":{"index":6,"offset":10,"length":100,"firstRow":700,"rows":3}}""";
        Assert.Equal(6, ReviewBatchMessage.Parse(new BinaryData(body)).Batch.Index);
        Assert.Contains(good, body, StringComparison.Ordinal);
        Assert.Throws<MessageFormatException>(() =>
            ReviewBatchMessage.Parse(new BinaryData(body.Replace(good, bad, StringComparison.Ordinal))));
    }
}
