using Azure;
using Azure.Identity;
using Microsoft.Extensions.Configuration;
using ServerlessBert.Modeling;
using ServerlessBert.Modeling.Inference;
using ServerlessBert.Pipeline.Models;
using ServerlessBert.Pipeline.Storage;
using TorchSharp;

namespace ServerlessBert.Pipeline.Operations;

/// <summary>
/// What <c>--check</c> of the functions and of the trainer prints: whether this machine, or the image being built, can do
/// the work. One line a check.
/// </summary>
public static class SelfCheck
{
    private static readonly TimeSpan StorageTimeout = TimeSpan.FromSeconds(10);

    /// <summary>Runs every check.</summary>
    /// <param name="configuration">Where the storage account is named. None is no failure: an image is built where there is
    /// none yet.</param>
    /// <param name="output">Takes the lines.</param>
    /// <returns>Whether all passed.</returns>
    public static async Task<bool> RunAsync(IConfiguration configuration, TextWriter output)
    {
        bool loads = LibTorch.TryLoad(out string? reason);
        await output.WriteLineAsync($"libtorch: {(loads ? "loads" : reason)}");
        if (!loads) return false;

        int devices = torch.cuda.is_available() ? torch.cuda.device_count() : 0;
        await output.WriteLineAsync($"devices: cpu{(devices > 0 ? $", {devices} of CUDA" : "")}");
        if (!configuration.GetSection(PipelineStorage.ConnectionSection).Exists())
        {
            await output.WriteLineAsync($"storage: not checked, {PipelineStorage.ConnectionSection} is not set");
            return true;
        }
        var (storage, state) = await ReachAsync(configuration);
        await output.WriteLineAsync($"storage: {state}");
        if (storage is null) return false;

        var (loadable, model) = await LoadLiveModelAsync(new ModelRegistry(storage));
        await output.WriteLineAsync($"model: {model}");
        return loadable;
    }

    private static async Task<(PipelineStorage? Storage, string State)> ReachAsync(IConfiguration configuration)
    {
        using var timeout = new CancellationTokenSource(StorageTimeout);
        try
        {
            PipelineStorage storage = PipelineStorage.FromConfiguration(configuration);
            await storage.Container(StorageNames.Models).ExistsAsync(timeout.Token);
            await storage.Queue(StorageNames.TrainingRequests).ExistsAsync(timeout.Token);
            return (storage, $"{storage.AccountName} answers");
        }
        catch (Exception exception) when (exception is ServerlessBertException or RequestFailedException or FormatException
            or ArgumentException or OperationCanceledException or AuthenticationFailedException || StorageErrors.IsUnreachable(exception))
        {
            string cause = exception is OperationCanceledException
                ? $"no answer within {StorageTimeout.TotalSeconds:0} s" : StorageErrors.Sentence(exception);
            return (null, $"not reachable, {cause.TrimEnd('.')}; check {PipelineStorage.ConnectionSection} and this identity's roles");
        }
    }

    private static async Task<(bool Passed, string State)> LoadLiveModelAsync(ModelRegistry registry)
    {
        string folder = Directory.CreateTempSubdirectory("serverlessbert-check-").FullName;
        try
        {
            if (await registry.CurrentAsync() is not { } live) return (true, "none is live yet");
            await registry.DownloadAsync(live.Version, folder);
            using var classifier = ReviewClassifier.Load(folder);
            return (true, $"{live.Version} loads, in {classifier.Dtype}");
        }
        catch (Exception exception) when (exception is ServerlessBertException or RequestFailedException
            || StorageErrors.IsUnreachable(exception))
        {
            return (false, $"cannot be loaded, {StorageErrors.Sentence(exception)}");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
