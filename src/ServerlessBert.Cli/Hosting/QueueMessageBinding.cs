using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Azure.Storage.Queues.Models;

namespace ServerlessBert.Cli.Hosting;

/// <summary>A queue message as a function's parameter.</summary>
internal static class QueueMessageBinding
{
    private static readonly JsonSerializerOptions Json = new() { PropertyNameCaseInsensitive = true };

    /// <summary>The message with its body decoded; false when it is not Base64.</summary>
    public static bool TryDecode(QueueMessage message, bool isBase64, [NotNullWhen(true)] out QueueMessage? decoded)
    {
        decoded = message;
        if (!isBase64) return true;
        try
        {
            var body = BinaryData.FromBytes(Convert.FromBase64String(message.Body.ToString()));
            decoded = QueuesModelFactory.QueueMessage(
                message.MessageId, message.PopReceipt, body, message.DequeueCount, message.NextVisibleOn, message.InsertedOn, message.ExpiresOn);
            return true;
        }
        catch (FormatException)
        {
            decoded = null;
            return false;
        }
    }

    /// <summary>The message as the parameter's type: itself, its body, or an object read from its JSON.</summary>
    /// <exception cref="JsonException">The body is not the type's JSON.</exception>
    public static object? As(QueueMessage message, Type type) =>
        type == typeof(QueueMessage) ? message
        : type == typeof(BinaryData) ? message.Body
        : type == typeof(string) ? message.Body.ToString()
        : type == typeof(byte[]) ? message.Body.ToArray()
        : JsonSerializer.Deserialize(message.Body, type, Json);
}
