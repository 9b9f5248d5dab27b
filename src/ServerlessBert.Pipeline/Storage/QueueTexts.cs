using Azure;
using Azure.Storage.Queues;
using Azure.Storage.Queues.Models;

namespace ServerlessBert.Pipeline.Storage;

/// <summary>
/// Messages as they stand in a queue: Base64, as the Functions host wants them. Whoever receives or peeks takes a queue's
/// text as it is and decodes each message by itself, so that one that is not Base64 can be told apart and put aside.
/// </summary>
public static class QueueTexts
{
    // Azure's default is 7 days: a request that waits for a trainer, and what somebody is to look at, would vanish.
    private static readonly TimeSpan WithoutEnd = TimeSpan.FromSeconds(-1);

    /// <summary>Sends a message that stays until somebody takes it.</summary>
    public static Task<Response<SendReceipt>> SendKeptAsync(this QueueClient queue, BinaryData body,
        CancellationToken cancellationToken = default) =>
        queue.SendMessageAsync(body, timeToLive: WithoutEnd, cancellationToken: cancellationToken);

    /// <summary>A message's body, or null where its text is not Base64.</summary>
    /// <param name="text">The message's body as <see cref="PipelineStorage.RawQueue"/> gives it.</param>
    public static BinaryData? TryDecode(BinaryData text)
    {
        try
        {
            return BinaryData.FromBytes(Convert.FromBase64String(text.ToString()));
        }
        catch (FormatException)
        {
            return null;
        }
    }
}
