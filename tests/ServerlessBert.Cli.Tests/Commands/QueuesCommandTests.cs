using Azure.Storage.Queues;
using ServerlessBert.Testing;

namespace ServerlessBert.Cli.Tests.Commands;

/// <summary>Messages that anybody sent, shown and put back.</summary>
[Collection(AzuriteCollection.Name)]
public sealed class QueuesCommandTests(AzuriteFixture azurite)
{
    private const string Poison = "review-batches-poison";
    private readonly string prefix = AzuriteFixture.NewPrefix();

    [Fact]
    public async Task Messages_are_shown_escaped_and_put_back_in_Base64_whatever_they_were()
    {
        Assert.Equal(0, (await RunAsync("queues", "list")).ExitCode);
        string text = "{ not Base64 }", encoded = Convert.ToBase64String("\u001b[2Jcleared\nqueue    forged"u8);
        await Queue(Poison).SendMessageAsync(text);
        await Queue(Poison).SendMessageAsync(encoded);

        var peeked = await RunAsync("queues", "peek", Poison);
        var replayed = await RunAsync("queues", "replay", Poison);

        Assert.True(peeked.ExitCode == 0, peeked.Errors);
        Assert.Contains(@"\u001b[2Jcleared\nqueue    forged", peeked.Output, StringComparison.Ordinal);
        Assert.Contains("its text is not Base64", peeked.Output, StringComparison.Ordinal);
        Assert.Contains(text, peeked.Output, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', peeked.Output);
        Assert.True(replayed.ExitCode == 0, replayed.Errors);
        Assert.Contains("2 messages put back", replayed.Errors, StringComparison.Ordinal);
        string[] back = [.. (await Queue("review-batches").PeekMessagesAsync(32)).Value.Select(message => message.Body.ToString())];
        Assert.Equal([encoded, Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(text))], back.Order(StringComparer.Ordinal));
    }

    private QueueClient Queue(string name) => new(azurite.ConnectionString, prefix + name);

    private Task<SbertProcess.Result> RunAsync(params string[] arguments) =>
        SbertProcess.RunAsync(arguments, environment: new Dictionary<string, string>
        {
            ["AzureWebJobsStorage"] = azurite.ConnectionString,
            ["ServerlessBert__Storage__Prefix"] = prefix,
        });
}
