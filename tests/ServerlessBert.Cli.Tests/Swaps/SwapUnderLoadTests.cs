using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using ServerlessBert.Modeling.Bert;
using ServerlessBert.Modeling.Checkpoints;
using ServerlessBert.Pipeline.Models;
using ServerlessBert.Pipeline.Runs;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Testing;
using Xunit.Abstractions;

namespace ServerlessBert.Cli.Tests.Swaps;

/// <summary>
/// Models are trained, published, promoted and rolled back while a host classifies, all as processes.
/// Fifty batches a minute go through. SERVERLESSBERT_SWAPS says how many swaps (4 where it says nothing, of a host that
/// looks at the pointer each second); where it is set, the host looks as often as it does by default.
/// </summary>
[Collection(AzuriteCollection.Name)]
public sealed class SwapUnderLoadTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly ITestOutputHelper output;
    private readonly int? asked = Environment.GetEnvironmentVariable("SERVERLESSBERT_SWAPS") is { Length: > 0 } text
        ? int.Parse(text, CultureInfo.InvariantCulture) : null;
    private readonly TemporaryFolder folder = new();
    private readonly Dictionary<string, string> environment;
    private readonly PipelineStorage storage;
    private readonly ModelRegistry registry;

    public SwapUnderLoadTests(AzuriteFixture azurite, ITestOutputHelper output)
    {
        this.output = output;
        string prefix = AzuriteFixture.NewPrefix();
        storage = PipelineStorage.FromConnectionString(azurite.ConnectionString, prefix);
        registry = new ModelRegistry(storage);
        environment = new()
        {
            ["AzureWebJobsStorage"] = azurite.ConnectionString,
            ["ServerlessBert__Storage__Prefix"] = prefix,
            ["ServerlessBert__Inference__Dtype"] = "Float32",
            ["ServerlessBert__Models__PollInterval"] = asked is null ? "00:00:01" : "00:00:15",
            ["ServerlessBert__Models__Linger"] = "00:00:01",
            ["AzureFunctionsJobHost__extensions__queues__maxPollingInterval"] = "00:00:00.5",
            // As the launcher and the image set them: compiled kernels that pile up look like models that stay.
            ["ONEDNN_PRIMITIVE_CACHE_CAPACITY"] = "128",
            ["LRU_CACHE_CAPACITY"] = "128",
            // .NET's own heap is as large as it may be, not as it must be: held at 75 MB, what is left to grow is native.
            ["DOTNET_GCHeapHardLimit"] = "0x4800000",
        };
    }

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task A_new_model_is_taken_within_seconds_while_no_batch_fails_or_waits_and_the_old_ones_memory_comes_back()
    {
        await storage.CreateAsync();
        string[] versions = [await PublishAsync(1), await PublishAsync(2)];
        await registry.PromoteAsync(versions[0], "to begin with");
        using var host = new RunningHost(environment);
        await using var drops = new SteadyDrops(storage, TimeSpan.FromSeconds(1.2));
        try
        {
            await Eventually.IsTrueAsync(async () => await host.VersionAsync() == versions[0], seconds: 60);
            var levels = new List<double>();
            var taken = new List<double>();
            for (int swap = 1; swap <= (asked ?? 4); swap++)
            {
                // There and back: each promotion is undone by a rollback, the first time by the command.
                string next = swap % 2 == 1 ? (await registry.PromoteAsync(versions[1], "swapped in")).Version
                    : await RollBackAsync(byCommand: swap == 2);
                var clock = Stopwatch.StartNew();
                await Eventually.IsTrueAsync(async () => await host.VersionAsync() == next, seconds: 60);
                taken.Add(clock.Elapsed.TotalSeconds);
                await Eventually.IsTrueAsync(
                    async () => (await host.ModelAsync()).GetProperty("inMemory").GetArrayLength() == 1, seconds: 30);
                await Task.Delay(500); // a batch or two, so that what they need is there again
                levels.Add(host.AllocatedMegabytes());
                output.WriteLine($"swap {swap}: taken after {taken[^1]:0.0} s, {levels[^1]:0} MB allocated");
            }
            string trained = await TrainAsync();
            var afterTraining = Stopwatch.StartNew();
            await Eventually.IsTrueAsync(async () => await host.VersionAsync() == trained, seconds: 60);
            output.WriteLine($"a trained model taken after {afterTraining.Elapsed.TotalSeconds:0.0} s");

            IReadOnlyList<Run> runs = await drops.EndAsync(Patience);
            double[] waits = [.. runs.Select(run => (run.Finished!.Value - run.Dropped).TotalSeconds).Order()];
            output.WriteLine(
                $"{runs.Count} batches by {runs.Select(run => run.Model).Distinct().Count()} models: from drop to predictions "
                    + $"{waits[waits.Length / 2]:0.00} s in the middle, {waits[^1]:0.00} s at most");
            Assert.All(runs, run => Assert.Equal((RunState.Done, 0L), (run.State, run.ErrorRows)));
            Assert.Equal(0, await drops.CountFailuresAsync());
            Assert.InRange(waits[^1], 0, 20);
            Assert.InRange(taken.Max(), 0, 20);
            Assert.InRange(afterTraining.Elapsed.TotalSeconds, 0, 20);
            // The first swaps of a process also fill caches, by how much depends on what else runs: only many swaps can tell.
            if (asked is not null) Assert.InRange(levels[^1] - levels[0], double.NegativeInfinity, 40);
        }
        catch (Exception exception) when (exception is not Xunit.Sdk.XunitException)
        {
            output.WriteLine(host.LastLines);
            throw;
        }
    }

    private async Task<string> RollBackAsync(bool byCommand)
    {
        if (!byCommand) return (await registry.RollbackAsync()).Version;
        var result = await SbertProcess.RunAsync(["models", "rollback"], environment: environment);
        Assert.True(result.ExitCode == 0, result.Errors);
        return (await registry.CurrentAsync())!.Version;
    }

    // Random weights of 50 MB, so that the memory of one is seen.
    private async Task<string> PublishAsync(long seed)
    {
        string path = folder.At($"model-{seed}");
        using (Checkpoint small = SmallModels.Create())
        using (Checkpoint checkpoint =
            Checkpoint.Create(BertConfig.Preset("small", small.Tokenizer.VocabularySize), small.Tokenizer, seed)) checkpoint.Save(path);
        return (await registry.PublishAsync(path)).Version;
    }

    /// <summary>Trains through the queue, with the trainer as a process, until its model is live.</summary>
    private async Task<string> TrainAsync()
    {
        string data = folder.At("labelled.jsonl"), before = (await registry.CurrentAsync())!.Version;
        File.WriteAllLines(
            data, SmallModels.Reviews(400)
            .Select(review => JsonSerializer.Serialize(new { text = review.Text, stars = review.Label + 1 })));
        var sent = await SbertProcess.RunAsync(
            ["train", "--queue", "--data", data, "--preset", "tiny", "--epochs", "3", "--learning-rate", "1e-3", "--max-length", "32"],
            environment: environment);
        Assert.True(sent.ExitCode == 0, sent.Errors);
        var trained = await SbertProcess.RunAsync(["trainer"], environment: environment);
        Assert.True(trained.ExitCode == 0, trained.Errors + trained.Output);
        string live = (await registry.CurrentAsync())!.Version;
        Assert.True(live != before, trained.Output);
        return live;
    }
}
