using System.Diagnostics;
using System.Security.Cryptography;
using ServerlessBert.Cli.HuggingFace;

namespace ServerlessBert.Cli.Tests.HuggingFace;

/// <summary>Bytes come whole, whatever the network does.</summary>
public sealed class TransferTests : PullTest
{
    private string Partial => Path.Combine(Folder, Weights + ".partial");

    [Fact]
    public async Task A_connection_cut_in_the_middle_is_taken_up_where_it_was_cut()
    {
        CutTheFirstTransfer();
        await PullAsync();
        AssertPulled();
        Assert.Equal(2, Hub.Transfers.Count);
        Received resumed = Hub.Transfers[1];
        Assert.Matches(@"^bytes=[1-9]\d*-$", resumed.Range);
        Assert.Equal(Hub.StorageETag(Hub.Files[Weights]), resumed.IfRange);
        Assert.Contains("trying again", Assert.Single(Remarks), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_stopped_keeps_its_bytes_and_goes_on_from_there()
    {
        await StopInTheMiddleAsync();
        long kept = new FileInfo(Partial).Length;
        Assert.True(kept > 0);
        Assert.False(File.Exists(Path.Combine(Folder, Weights)));
        await PullAsync();
        AssertPulled();
        Assert.Equal($"bytes={kept}-", Hub.Transfers[^1].Range);
    }

    [Fact]
    public async Task A_file_that_changed_on_the_hub_meanwhile_starts_over()
    {
        await StopInTheMiddleAsync();
        ChangeTheWeights();
        await PullAsync();
        AssertPulled();
        Assert.Null(Hub.Transfers[^1].Range);
    }

    [Fact]
    public async Task A_file_that_its_server_holds_for_another_starts_over()
    {
        await StopInTheMiddleAsync();
        Hub.StorageETag = _ => "\"another\"";
        await PullAsync();
        AssertPulled();
        Assert.NotNull(Hub.Transfers[^1].IfRange); // asked, and answered with the whole
    }

    [Fact]
    public async Task A_partial_file_of_which_nothing_is_known_starts_over()
    {
        Directory.CreateDirectory(Folder);
        File.WriteAllBytes(Partial, new byte[100]);
        File.WriteAllText(Partial + ".json", "{ torn");
        await PullAsync();
        AssertPulled();
        Assert.Null(Assert.Single(Hub.Transfers).Range);
    }

    [Fact]
    public async Task A_file_that_was_whole_but_not_yet_named_is_not_fetched_again()
    {
        await StopInTheMiddleAsync();
        File.WriteAllBytes(Partial, Hub.Files[Weights]);
        Hub.Requests.Clear();
        await PullAsync();
        AssertPulled();
        Assert.Empty(Hub.Transfers);
    }

    [Fact]
    public async Task A_range_that_cannot_be_satisfied_starts_over()
    {
        await StopInTheMiddleAsync();
        Hub.Interfere = (context, toStorage) =>
        {
            bool answers = toStorage && context.Request.Headers.Range.Count > 0;
            if (answers) context.Response.StatusCode = 416;
            return Task.FromResult(answers);
        };
        await PullAsync();
        AssertPulled();
    }

    [Fact]
    public async Task A_part_other_than_the_one_asked_for_is_not_joined()
    {
        await StopInTheMiddleAsync();
        Hub.Interfere = async (context, toStorage) =>
        {
            if (!toStorage || context.Request.Headers.Range.Count == 0) return false;
            context.Response.StatusCode = 206;
            context.Response.Headers.ContentRange = $"bytes 0-9/{Hub.Files[Weights].Length}";
            await context.Response.Body.WriteAsync(Hub.Files[Weights].AsMemory(0, 10));
            return true;
        };
        await PullAsync();
        AssertPulled();
    }

    [Fact]
    public async Task Bytes_that_are_not_those_of_the_hash_get_no_name()
    {
        Hub.LinkedETag = _ => new string('0', 64);
        HubException damaged = await RefusedAsync();
        Assert.Contains("its SHA-256 is", damaged.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFiles(Folder, Weights + "*"));
    }

    [Fact]
    public async Task A_file_longer_than_the_hub_says_is_refused()
    {
        Hub.LinkedSize = bytes => bytes.Length - 1;
        Assert.Contains("is longer than", (await RefusedAsync()).Message, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(Folder, Weights)));
    }

    [Fact]
    public async Task Server_errors_pass()
    {
        FailFirst(2, 503);
        await PullAsync();
        AssertPulled();
        Assert.Equal(2, Remarks.Count);
    }

    [Fact]
    public async Task An_error_that_does_not_pass_ends_with_what_to_do()
    {
        FailFirst(int.MaxValue, 502);
        HubException ended = await RefusedAsync();
        Assert.Contains("answered 502", ended.Message, StringComparison.Ordinal);
        Assert.Contains("run the same command again later", ended.Message, StringComparison.Ordinal);
        Assert.Equal(Options.Retries, Remarks.Count);
    }

    [Fact]
    public async Task Too_many_requests_waits_as_long_as_the_server_says()
    {
        FailFirst(1, 429, retryAfter: "1");
        long start = Stopwatch.GetTimestamp();
        await PullAsync();
        Assert.True(Stopwatch.GetElapsedTime(start) >= TimeSpan.FromSeconds(1));
        AssertPulled();
    }

    [Fact]
    public async Task A_wait_of_hours_is_said_and_not_waited()
    {
        FailFirst(int.MaxValue, 429, retryAfter: "7200");
        Assert.Contains("run the same command again in 7,200 s", (await RefusedAsync()).Message, StringComparison.Ordinal);
        Assert.Empty(Remarks);
    }

    [Fact]
    public async Task A_server_that_falls_silent_counts_as_cut()
    {
        bool isFirst = true;
        Hub.Interfere = async (context, toStorage) =>
        {
            if (!toStorage || !isFirst) return false;
            isFirst = false;
            await SendBeginningAsync(
                context, Half, () => Task.Delay(Timeout.Infinite, context.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default));
            return true;
        };
        await PullAsync(Options with { Silence = TimeSpan.FromSeconds(1) });
        AssertPulled();
        Assert.Contains("sent nothing for 1 s", Assert.Single(Remarks), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_hub_that_is_not_there_is_said()
    {
        HubException refused = await RefusedAsync(Options with { Endpoint = "http://127.0.0.1:1", Retries = 1 });
        Assert.Contains("127.0.0.1:1 cannot be reached", refused.Message, StringComparison.Ordinal);
    }

    private int Half => Hub.Files[Weights].Length / 2;

    private void CutTheFirstTransfer()
    {
        bool isFirst = true;
        Hub.Interfere = async (context, toStorage) =>
        {
            if (!toStorage || !isFirst) return false;
            isFirst = false;
            await SendBeginningAsync(context, Half, () => Task.Run(context.Abort));
            return true;
        };
    }

    private async Task StopInTheMiddleAsync()
    {
        using var stop = new CancellationTokenSource();
        Hub.Interfere = async (context, toStorage) =>
        {
            if (!toStorage) return false;
            await SendBeginningAsync(context, Half, stop.CancelAsync);
            return true;
        };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => PullAsync(cancellationToken: stop.Token));
        Hub.Interfere = (_, _) => Task.FromResult(false);
    }

    private void ChangeTheWeights()
    {
        byte[] changed = [.. Hub.Files[Weights]];
        RandomNumberGenerator.Fill(changed.AsSpan(changed.Length - 64));
        Hub.Files[Weights] = changed;
    }

    private void FailFirst(int count, int status, string? retryAfter = null)
    {
        Hub.Interfere = (context, toStorage) =>
        {
            if (!toStorage || Interlocked.Decrement(ref count) < 0) return Task.FromResult(false);
            context.Response.StatusCode = status;
            if (retryAfter is not null) context.Response.Headers.RetryAfter = retryAfter;
            return Task.FromResult(true);
        };
    }
}
