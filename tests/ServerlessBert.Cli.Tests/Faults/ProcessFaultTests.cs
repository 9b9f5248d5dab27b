using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using ServerlessBert.Pipeline.Runs;
using ServerlessBert.Pipeline.Storage;
using Xunit.Abstractions;

namespace ServerlessBert.Cli.Tests.Faults;

/// <summary>
/// Seeded faults on real processes. SERVERLESSBERT_FAULTS says how many (12 where it says nothing),
/// SERVERLESSBERT_FAULTS_SEED which: the seed decides files, faults and pauses; who wins a race is the machine's.
/// </summary>
[Collection(AzuriteCollection.Name)]
public sealed class ProcessFaultTests(ITestOutputHelper output)
{
    private const int FileCount = 20;
    private const int FewestUnderWay = 6;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    // As often as they stand here.
    private static readonly FaultKind[] Kinds =
    [
        FaultKind.KillHost, FaultKind.KillHost, FaultKind.KillHost, FaultKind.DeliverTwice, FaultKind.DeliverTwice,
            FaultKind.DeliverToBoth, FaultKind.DeliverToBoth,
        FaultKind.DeleteMessages, FaultKind.DeleteMessages, FaultKind.StopStorage, FaultKind.DropAgain, FaultKind.DropAgain,
    ];

    [Fact]
    public async Task Whatever_dies_every_file_ends_with_exactly_its_rows_as_in_a_run_without_faults()
    {
        int count = Setting("SERVERLESSBERT_FAULTS", 12), seed = Setting("SERVERLESSBERT_FAULTS_SEED", 1);
        var clock = Stopwatch.StartNew();
        await using FaultWorld world = await FaultWorld.StartAsync(seed);
        for (int file = 0; file < FileCount; file++) await world.DropAsync(file);

        Dictionary<FaultKind, int> done = await DoFaultsAsync(world, new Random(seed), count);
        output.WriteLine($"seed {seed}: {count} faults in {clock.Elapsed.TotalSeconds:0} s "
            + $"({string.Join(", ", done.Select(kind => $"{kind.Key} {kind.Value}"))})");
        await EndAsync(world);
        output.WriteLine($"every run ended after {clock.Elapsed.TotalSeconds:0} s");
        Drop[] drops = [.. world.Drops];
        string[] predictions = await Task.WhenAll(drops.Select(drop => PredictionsAsync(world, drop.File.Name)));

        foreach (Drop drop in drops) await world.DropAsync(drop.File with { Name = $"clean/{drop.File.Name}" }, announce: true);
        await EndAsync(world);
        foreach (var (drop, lines) in drops.Zip(predictions))
        {
            AssertRows(drop.File, lines);
            Assert.Equal(await PredictionsAsync(world, $"clean/{drop.File.Name}"), lines);
        }
        output.WriteLine($"all compared after {clock.Elapsed.TotalSeconds:0} s");
    }

    private static async Task<Dictionary<FaultKind, int>> DoFaultsAsync(FaultWorld world, Random random, int count)
    {
        var done = new Dictionary<FaultKind, int>();
        while (done.Values.Sum() < count)
        {
            await Task.Delay(random.Next(700));
            world.Hosts.EnsureRunning();
            // A fault while nothing is under way shows nothing.
            if ((await world.UnderWayAsync()).Count < FewestUnderWay) await world.DropAsync(random.Next(FileCount));
            FaultKind kind = Kinds[random.Next(Kinds.Length)];
            if (await world.DoAsync(kind)) done[kind] = done.GetValueOrDefault(kind) + 1;
        }
        return done;
    }

    internal static async Task EndAsync(FaultWorld world)
    {
        var runs = new RunStore(world.Storage);
        for (var clock = Stopwatch.StartNew(); ; await Task.Delay(500))
        {
            world.Hosts.EnsureRunning();
            IReadOnlyList<Drop> underWay = await world.UnderWayAsync();
            string[] unfinished = await runs.ListAsync().Where(run => !run.IsFinished).Select(run => run.Id.Value).ToArrayAsync();
            if (underWay.Count == 0 && unfinished.Length == 0) return;
            Assert.True(clock.Elapsed < Patience,
                $"These have not ended: "
                    + $"{string.Join(", ", underWay.Select(drop => drop.File.Name).Concat(unfinished))}\n{world.Hosts.LastLines}");
        }
    }

    internal static async Task<string> PredictionsAsync(FaultWorld world, string name)
    {
        var content = await world.Storage.Container(StorageNames.Predictions).GetBlobClient($"{name}.jsonl").DownloadContentAsync();
        return content.Value.Content.ToString();
    }

    internal static void AssertRows(MixedFile file, string predictions)
    {
        JsonElement[] lines = [.. predictions.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line =>
            JsonDocument.Parse(line).RootElement)];
        Assert.Equal(Enumerable.Range(0, file.Ids.Count), lines.Select(line => line.GetProperty("row").GetInt32()));
        Assert.Equal(file.Ids, lines.Select(line => line.TryGetProperty("id", out JsonElement id) ? id.GetString() : null));
        Assert.DoesNotContain("batch_failed", predictions, StringComparison.Ordinal);
    }

    internal static int Setting(string name, int missing) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : missing;
}
