using System.Net.Http.Headers;
using ServerlessBert.Cli.HuggingFace;

namespace ServerlessBert.Cli.Tests.HuggingFace;

public sealed class HubPartsTests : IDisposable
{
    private readonly TemporaryFolder scratch = new();

    private string Target => scratch.At("file");

    public void Dispose() => scratch.Dispose();

    [Fact]
    public async Task A_files_hashes_are_those_of_sha256sum_and_git()
    {
        File.WriteAllText(Target, "hello\n");
        Assert.Equal("5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03", await FileDigest.Sha256Async(Target, default));
        Assert.Equal("ce013625030ba8dba906f756967f9e9ca394464a", await FileDigest.GitBlobAsync(Target, default));
    }

    [Theory]
    [InlineData("\"strong\"", false, true)]
    [InlineData("W/\"weak\"", false, false)] // equal only in meaning: its bytes may differ
    [InlineData(null, false, false)]
    [InlineData(null, true, true)] // the hash will tell
    [InlineData("W/\"weak\"", true, true)]
    public void Bytes_are_gone_on_with_only_where_something_tells_that_they_belong(string? serverETag, bool hasHash, bool expected)
    {
        var file = new HubFile("file", 10, hasHash ? new string('a', 64) : "mark");
        var partial = new PartialFile(Target);
        using (FileStream stream =
            partial.StartOver(file, serverETag is null ? null : EntityTagHeaderValue.Parse(serverETag))) stream.Write([1, 2, 3]);
        Assert.Equal(expected ? 3 : null, partial.Rest(file)?.From);
        Assert.Null(partial.Rest(file with { ETag = "other" }));
        Assert.Null(partial.Rest(file with { Size = 2 }));
    }

    [Theory]
    [InlineData("https://hub.example/a/b", "/c", "https://hub.example/c")]
    [InlineData("https://hub.example/a", "https://storage.example/c", "https://storage.example/c")]
    [InlineData("http://localhost/a", "https://storage.example/c", "https://storage.example/c")]
    [InlineData("http://localhost/a", "http://localhost:81/c", "http://localhost:81/c")]
    [InlineData("https://hub.example/a", "http://hub.example/a", null)]
    [InlineData("http://localhost/a", "file:///etc/passwd", null)]
    public void A_redirect_is_followed_unless_it_gives_up_encryption_or_the_web(string from, string location, string? expected)
    {
        Uri Follow() => HubConnection.Follow(new Uri(from), new Uri(location, UriKind.RelativeOrAbsolute));
        if (expected is null) Assert.Contains(
            "nothing was fetched from there", Assert.Throws<HubException>(() => Follow()).Message, StringComparison.Ordinal);
        else Assert.Equal(new Uri(expected), Follow());
    }
}
