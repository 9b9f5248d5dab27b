using ServerlessBert.LocalHost;
using ServerlessBert.Pipeline.Storage;

namespace ServerlessBert.Cli.Input;

/// <summary>The configured storage account, for verbs that work on it.</summary>
internal static class Storage
{
    /// <summary>Connects and makes what containers and queues are missing, so that every verb works on a new account.</summary>
    public static async Task<PipelineStorage> OpenAsync(CancellationToken cancellationToken)
    {
        PipelineStorage storage = PipelineStorage.FromConfiguration(HostSettings.Load());
        await storage.CreateAsync(cancellationToken);
        return storage;
    }
}
