using System.CommandLine;
using Azure.Storage.Queues;
using Azure.Storage.Queues.Models;
using ServerlessBert.Cli.Input;
using ServerlessBert.Cli.Output;
using ServerlessBert.Pipeline.Storage;

namespace ServerlessBert.Cli.Commands;

/// <summary><c>sbert queues</c>: depths, what waits, and putting poison messages back.</summary>
internal static class QueuesCommand
{
    // Azure's limit of one peek or receive.
    private const int MaxAtOnce = 32;

    public static Command Create() => new("queues", "Look into the queues, and put poison messages back.") { List(), Peek(), Replay() };

    private static Command List()
    {
        var json = new Option<bool>("--json") { Description = "As JSON." };
        var command = new Command("list", "Every queue with its number of messages.") { json };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            PipelineStorage storage = await Storage.OpenAsync(cancellationToken);
            var depths = new Dictionary<string, int>();
            foreach (string name in StorageNames.Queues)
                depths[name] = (await storage.Queue(name).GetPropertiesAsync(cancellationToken)).Value.ApproximateMessagesCount;
            if (parsed.GetValue(json)) Terminal.WriteJson(depths);
            else foreach ((string name, int depth) in depths) Terminal.WriteLine($"{depth,7:N0}  {name}");
            return ExitCode.Done;
        });
        return command;
    }

    private static Command Peek()
    {
        Argument<string> queue = QueueArgument("The queue to look into.");
        var json = new Option<bool>("--json") { Description = "As JSON." };
        var command = new Command(
            "peek", "The first messages of a queue, without taking them; for poison, with the reason.") { queue, json };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            PipelineStorage storage = await Storage.OpenAsync(cancellationToken);
            PeekedMessage[] messages = await storage.RawQueue(parsed.GetRequiredValue(queue))
                .PeekMessagesAsync(MaxAtOnce, cancellationToken);
            var shown = new List<object>();
            foreach (PeekedMessage message in messages)
            {
                (string? reason, string body) = Read(message.Body);
                shown.Add(new { message.MessageId, message.InsertedOn, message.DequeueCount, Reason = reason, Body = body });
                if (parsed.GetValue(json)) continue;
                Terminal.WriteLine($"{message.InsertedOn:u}  dequeued {Count.Of(message.DequeueCount, "time")}  {body}");
                if (reason is not null) Terminal.WriteLine($"    {reason}");
            }
            if (parsed.GetValue(json)) Terminal.WriteJson(shown);
            else if (messages.Length == 0) Terminal.Log($"{parsed.GetRequiredValue(queue)} is empty");
            return ExitCode.Done;
        });
        return command;
    }

    private static Command Replay()
    {
        Argument<string> queue = QueueArgument("The poison queue to empty into its own queue.");
        var command = new Command("replay", "Put every poison message back to be tried again.") { queue };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            string name = parsed.GetRequiredValue(queue);
            if (!name.EndsWith(StorageNames.PoisonSuffix, StringComparison.Ordinal)) name += StorageNames.PoisonSuffix;
            PipelineStorage storage = await Storage.OpenAsync(cancellationToken);
            QueueClient poison = storage.RawQueue(name), target = storage.Queue(name[..^StorageNames.PoisonSuffix.Length]);
            int replayed = 0;
            while (await poison.ReceiveMessagesAsync(
                MaxAtOnce, cancellationToken: cancellationToken) is { Value: { Length: > 0 } messages })
            {
                foreach (QueueMessage message in messages)
                {
                    // Sent before it is deleted: cut in between, it is delivered twice, which every handler bears.
                    await target.SendKeptAsync(new BinaryData(Read(message.Body).Body), cancellationToken);
                    await poison.DeleteMessageAsync(message.MessageId, message.PopReceipt, cancellationToken);
                    replayed++;
                }
            }
            Terminal.Log($"{Count.Of(replayed, "message")} put back into {name[..^StorageNames.PoisonSuffix.Length]}");
            return ExitCode.Done;
        });
        return command;
    }

    // A text that is not Base64 came from elsewhere; it is shown, and put back, as what was meant: its body.
    private static (string? Reason, string Body) Read(BinaryData text) =>
        QueueTexts.TryDecode(text) is { } body ? PoisonMessage.Read(body)
            : ("its text is not Base64, so no function or trainer can read it", text.ToString());

    private static Argument<string> QueueArgument(string description)
    {
        var queue = new Argument<string>("queue") { Description = description };
        queue.AcceptOnlyFromAmong([.. StorageNames.Queues]);
        return queue;
    }
}
