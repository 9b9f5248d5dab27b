using ServerlessBert.Pipeline.Models;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Pipeline.Tests.Storage;
using ServerlessBert.Testing;

namespace ServerlessBert.Pipeline.Tests.Models;

/// <summary>
/// Publishing, promoting, rolling back and retiring, ended before and after each of their storage calls: what is left is the old
/// state or the new one, and doing it again completes it.
/// </summary>
[Collection(AzuriteCollection.Name)]
public sealed class CutOffTests(AzuriteFixture azurite) : IDisposable
{
    private static readonly DateTimeOffset Made = new(2026, 11, 22, 10, 15, 0, TimeSpan.Zero);

    private readonly string _prefix = AzuriteFixture.NewPrefix();
    private readonly string _folder = Directory.CreateTempSubdirectory("cut-off-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Publishing_that_is_cut_off_leaves_no_version_or_a_whole_one()
    {
        ModelRegistry whole = await StartAsync();
        int cut = 0;
        await AtEveryCallAsync(async (registry, _, attempt) =>
        {
            var created = Made.AddHours(attempt);
            string folder = NewFolder($"weights {attempt}");
            bool ended = await EndsAsync(() => registry.PublishAsync(folder, created));

            string? version = (await whole.ListAsync())
                .FirstOrDefault(
                model => model.Version.StartsWith($"{created:yyyyMMdd'T'HH}", StringComparison.Ordinal) && model.IsComplete)?.Version;
            if (version is not null) Assert.Empty(await whole.VerifyAsync(version));
            else cut++;
            Assert.True(version is not null || !ended);

            var manifest = await whole.PublishAsync(folder, created);
            Assert.Empty(await whole.VerifyAsync(manifest.Version));
            return ended;
        });
        Assert.True(cut > 3);
    }

    [Fact]
    public async Task Promoting_and_rolling_back_that_are_cut_off_leave_the_old_model_live_or_the_new_one()
    {
        ModelRegistry whole = await StartAsync();
        string old = (await whole.PublishAsync(NewFolder("old"), Made)).Version,
            next = (await whole.PublishAsync(NewFolder("new"), Made.AddHours(1))).Version;
        var seen = new HashSet<string>();
        foreach (bool rollsBack in new[] { false, true })
        {
            await AtEveryCallAsync(async (registry, _, _) =>
            {
                await whole.PromoteAsync(rollsBack ? next : old, "the old state");
                bool ended = await EndsAsync(() => rollsBack ? registry.RollbackAsync(old) : registry.PromoteAsync(next, "the new state"));

                var pointer = (await whole.CurrentAsync())!;
                Assert.Contains(pointer.Version, new[] { old, next });
                Assert.Empty(await whole.VerifyAsync(pointer.Version));
                seen.Add($"{rollsBack} {pointer.Version}");
                return ended;
            });
        }
        Assert.Equal(4, seen.Count);
    }

    [Fact]
    public async Task Retiring_that_is_cut_off_keeps_what_must_stay_whole_and_another_call_completes_it()
    {
        ModelRegistry whole = await StartAsync();
        await whole.PromoteAsync((await whole.PublishAsync(NewFolder("live"), Made.AddYears(1))).Version, "it stays");
        var options = new ModelPruningOptions { Keep = 1, Grace = TimeSpan.Zero };
        await AtEveryCallAsync(async (registry, storage, attempt) =>
        {
            string old = (await whole.PublishAsync(NewFolder($"old {attempt}"), Made.AddHours(attempt))).Version;
            bool ended = await EndsAsync(() => new ModelPruning(storage, registry, TimeProvider.System).PruneAsync(options));

            foreach (var model in (await whole.ListAsync()).Where(model => model.IsComplete)) Assert.Empty(
                await whole.VerifyAsync(model.Version));
            var pointer = (await whole.CurrentAsync())!;
            bool isNamed = pointer.Pruned.Any(pruned => pruned.Version == old);
            if (isNamed) await Assert.ThrowsAsync<ModelUnavailableException>(() => whole.PromoteAsync(old, "too late"));

            var pruning = new ModelPruning(Storage(new CountedCalls()), whole, TimeProvider.System);
            for (int call = 0; call < 3; call++) await pruning.PruneAsync(options);
            Assert.Equal(pointer.Version, Assert.Single(await whole.ListAsync()).Version);
            Assert.Empty((await whole.CurrentAsync())!.Pruned);
            return ended;
        });
    }

    // Calls 1, 2, 3… before and after, until the work ends without meeting the one it should die at.
    private async Task AtEveryCallAsync(Func<ModelRegistry, PipelineStorage, int, Task<bool>> work)
    {
        bool ended = false;
        for (int call = 1; !ended; call++)
        {
            foreach (bool after in new[] { false, true })
            {
                var calls = new CountedCalls { DiesAt = call, DiesAfter = after };
                PipelineStorage storage = Storage(calls);
                ended = await work(new ModelRegistry(storage), storage, (call * 2) + (after ? 1 : 0));
            }
        }
    }

    private static async Task<bool> EndsAsync(Func<Task> work)
    {
        try
        {
            await work();
            return true;
        }
        catch (DiedException)
        {
            return false;
        }
    }

    private async Task<ModelRegistry> StartAsync()
    {
        PipelineStorage storage = Storage(new CountedCalls());
        await storage.CreateAsync();
        return new ModelRegistry(storage);
    }

    private PipelineStorage Storage(CountedCalls calls) => calls.Through(azurite, _prefix);

    private string NewFolder(string weights)
    {
        string folder = Directory.CreateDirectory(Path.Combine(_folder, Path.GetRandomFileName())).FullName;
        File.WriteAllText(Path.Combine(folder, "model.safetensors"), weights);
        File.WriteAllText(Path.Combine(folder, "config.json"), "{}");
        File.WriteAllText(Path.Combine(folder, "vocab.txt"), "[PAD]");
        return folder;
    }
}
