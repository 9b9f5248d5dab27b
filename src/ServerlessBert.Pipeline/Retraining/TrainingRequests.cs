using Azure.Storage.Queues.Models;
using ServerlessBert.Pipeline.Storage;

namespace ServerlessBert.Pipeline.Retraining;

/// <summary>Sends training requests.</summary>
public sealed class TrainingRequests(PipelineStorage storage)
{
    /// <summary>Checks a request and queues it.</summary>
    /// <returns>The message's id.</returns>
    /// <exception cref="MessageFormatException">No training can be as the request says.</exception>
    public async Task<string> SendAsync(TrainingRequest request, CancellationToken cancellationToken = default)
    {
        if (TrainingRequestRules.FirstProblem(request) is { } problem) throw new MessageFormatException(problem);
        SendReceipt receipt = await storage.Queue(StorageNames.TrainingRequests).SendKeptAsync(request.ToBody(), cancellationToken);
        return receipt.MessageId;
    }

    /// <summary>About how many requests wait or are worked on; a trainer's message is hidden, not gone.</summary>
    public Task<int> CountAsync(CancellationToken cancellationToken = default) =>
        CountAsync(StorageNames.TrainingRequests, cancellationToken);

    /// <summary>About how many requests were dead-lettered.</summary>
    public Task<int> CountPoisonedAsync(CancellationToken cancellationToken = default) =>
        CountAsync(StorageNames.TrainingRequests + StorageNames.PoisonSuffix, cancellationToken);

    private async Task<int> CountAsync(string queue, CancellationToken cancellationToken)
    {
        QueueProperties properties = await storage.Queue(queue).GetPropertiesAsync(cancellationToken);
        return properties.ApproximateMessagesCount;
    }
}
