using System.Diagnostics;
using Xunit.Abstractions;

namespace ServerlessBert.Cli.Tests.Faults;

/// <summary>
/// Seeded faults on the way between two hosts and storage. SERVERLESSBERT_FAULTS says how many (12 where it says nothing),
/// SERVERLESSBERT_FAULTS_SEED which: the seed decides files, faults and pauses; which request meets a fault is the machine's.
/// </summary>
[Collection(AzuriteCollection.Name)]
public sealed class NetworkFaultTests(ITestOutputHelper output)
{
    private const int FileCount = 12;
    private const int FewestUnderWay = 4;
    private static readonly TimeSpan LongestFault = TimeSpan.FromSeconds(10);

    [Fact]
    public async Task Whatever_the_network_does_every_file_ends_with_exactly_its_rows_as_in_a_quiet_run()
    {
        int count = ProcessFaultTests.Setting("SERVERLESSBERT_FAULTS", 12),
            seed = ProcessFaultTests.Setting("SERVERLESSBERT_FAULTS_SEED", 1);
        var clock = Stopwatch.StartNew();
        await using FaultWorld world = await FaultWorld.StartAsync(seed, isBehindProxy: true);
        for (int file = 0; file < FileCount; file++) await world.DropAsync(file);

        Dictionary<NetworkFault, int> done = await DoFaultsAsync(world, new Random(seed), count);
        output.WriteLine($"seed {seed}: {count} faults in {clock.Elapsed.TotalSeconds:0} s "
            + $"({string.Join(", ", done.Select(kind => $"{kind.Key} {kind.Value}"))})");
        await ProcessFaultTests.EndAsync(world);
        output.WriteLine($"every run ended after {clock.Elapsed.TotalSeconds:0} s; hosts were started {world.Hosts.Starts} times");
        Drop[] drops = [.. world.Drops];
        string[] predictions = await Task.WhenAll(drops.Select(drop => ProcessFaultTests.PredictionsAsync(world, drop.File.Name)));

        foreach (Drop drop in drops) await world.DropAsync(drop.File with { Name = $"clean/{drop.File.Name}" }, announce: true);
        await ProcessFaultTests.EndAsync(world);
        foreach (var (drop, lines) in drops.Zip(predictions))
        {
            ProcessFaultTests.AssertRows(drop.File, lines);
            Assert.Equal(await ProcessFaultTests.PredictionsAsync(world, $"clean/{drop.File.Name}"), lines);
        }
        output.WriteLine($"all compared after {clock.Elapsed.TotalSeconds:0} s");
    }

    private static async Task<Dictionary<NetworkFault, int>> DoFaultsAsync(FaultWorld world, Random random, int count)
    {
        NetworkFault[] kinds = Enum.GetValues<NetworkFault>();
        var done = new Dictionary<NetworkFault, int>();
        for (int fault = 0; fault < count; fault++)
        {
            await Task.Delay(random.Next(400));
            world.Hosts.EnsureRunning();
            // A fault while nothing is under way shows little.
            if ((await world.UnderWayAsync()).Count < FewestUnderWay) await world.DropAsync(random.Next(FileCount));
            // Every kind in turn; a burst of some beats the clients' own three retries.
            NetworkFault kind = kinds[fault % kinds.Length];
            world.Proxy!.Do(kind, random.Next(1, 10));
            for (var waited = Stopwatch.StartNew(); world.Proxy.Left > 0 && waited.Elapsed < LongestFault;) await Task.Delay(20);
            done[kind] = done.GetValueOrDefault(kind) + 1;
        }
        world.Proxy!.Do(default, 0);
        return done;
    }
}
