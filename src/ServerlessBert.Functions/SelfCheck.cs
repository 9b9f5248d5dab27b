using Azure;
using Microsoft.Extensions.Configuration;
using ServerlessBert.Modeling;
using ServerlessBert.Pipeline.Storage;

namespace ServerlessBert.Functions;

/// <summary>What <c>--check</c> prints: whether this machine, or the image being built, can run the functions.</summary>
internal static class SelfCheck
{
    private static readonly TimeSpan StorageTimeout = TimeSpan.FromSeconds(10);

    /// <summary>Prints a line a check; the exit code is 1 where one failed.</summary>
    public static async Task<int> RunAsync(TextWriter output)
    {
        bool loads = LibTorch.TryLoad(out string? reason);
        await output.WriteLineAsync(loads ? "libtorch: loads" : reason);

        IConfiguration configuration = new ConfigurationBuilder().AddEnvironmentVariables().Build();
        (bool reachable, string state) = await CheckStorageAsync(configuration);
        await output.WriteLineAsync($"storage: {state}");
        return loads && reachable ? 0 : 1;
    }

    /// <summary>An image is built where there is no storage yet, so that no setting at all is no failure.</summary>
    private static async Task<(bool Passed, string State)> CheckStorageAsync(IConfiguration configuration)
    {
        if (!configuration.GetSection(Settings.Storage).Exists())
            return (true, $"not checked, {Settings.Storage} is not set");
        using var timeout = new CancellationTokenSource(StorageTimeout);
        try
        {
            PipelineStorage storage = PipelineStorage.FromConfiguration(configuration);
            await storage.Container(StorageNames.Reviews).ExistsAsync(timeout.Token);
            await storage.Queue(StorageNames.ReviewFiles).ExistsAsync(timeout.Token);
            return (true, "reachable");
        }
        catch (Exception exception) when (exception is RequestFailedException or AggregateException or FormatException
            or ArgumentException or InvalidOperationException or OperationCanceledException or Azure.Identity.AuthenticationFailedException)
        {
            string cause = exception is OperationCanceledException
                ? $"no answer within {StorageTimeout.TotalSeconds:0} s" : exception.Message.Split('\n')[0].Trim();
            return (false, $"not reachable, {cause.TrimEnd('.')}; check {Settings.Storage} and this identity's roles");
        }
    }
}
