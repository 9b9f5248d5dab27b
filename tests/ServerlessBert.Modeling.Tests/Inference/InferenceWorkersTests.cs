using System.Collections.Concurrent;
using ServerlessBert.Modeling.Inference;

namespace ServerlessBert.Modeling.Tests.Inference;

public sealed class InferenceWorkersTests
{
    [Fact]
    public void Each_item_is_done_once_by_threads_that_stay_the_same()
    {
        var threads = new ConcurrentBag<(int Worker, int Thread)>();
        for (int round = 0; round < 5; round++)
        {
            var done = new ConcurrentBag<int>();
            InferenceWorkers.ForEach(3, 50, (item, member) =>
            {
                done.Add(item);
                threads.Add((member.Worker, Environment.CurrentManagedThreadId));
            });
            Assert.Equal(Enumerable.Range(0, 50), done.Order());
        }

        Assert.All(threads.GroupBy(pair => pair.Worker), worker => Assert.Single(worker.Select(pair => pair.Thread).Distinct()));
        Assert.InRange(threads.Max(pair => pair.Worker), 0, 2);
    }

    [Fact]
    public void A_teams_members_see_what_all_others_did_before_a_step()
    {
        for (int round = 0; round < 200; round++)
        {
            int[] values = new int[4];
            int[] sums = new int[4];
            InferenceWorkers.RunTogether(4, member =>
            {
                for (int step = 1; step <= 5; step++)
                {
                    values[member.Rank] = step;
                    member.Team.Sync();
                    sums[member.Rank] += values.Sum();
                    member.Team.Sync();
                }
            });
            Assert.All(sums, sum => Assert.Equal(4 * (1 + 2 + 3 + 4 + 5), sum));
        }
    }

    [Fact]
    public async Task Teams_and_items_that_come_at_once_all_end() =>
        await Task.WhenAll(Enumerable.Range(0, 16).Select(call => Task.Factory.StartNew(() =>
    {
        for (int round = 0; round < 20; round++)
        {
            int count = 0;
            if (call % 2 == 0) InferenceWorkers.RunTogether(1 + (call % 4), member =>
            {
                member.Team.Sync();
                Interlocked.Increment(ref count);
                member.Team.Sync();
            });
            else InferenceWorkers.ForEach(1 + (call % 4), 7, (_, _) => Interlocked.Increment(ref count));
            Assert.Equal(call % 2 == 0 ? 1 + (call % 4) : 7, count);
        }
    }, TaskCreationOptions.LongRunning)).ToArray());

    [Fact]
    public async Task A_short_job_does_not_wait_for_all_of_a_long_one()
    {
        using var begun = new ManualResetEventSlim();
        int items = 0;
        Task longJob = Task.Factory.StartNew(() => InferenceWorkers.ForEach(1, 100, (_, _) =>
        {
            begun.Set();
            Thread.Sleep(5);
            Interlocked.Increment(ref items);
        }), TaskCreationOptions.LongRunning);
        begun.Wait();
        InferenceWorkers.RunTogether(1, _ => { });

        Assert.InRange(items, 0, 50);
        await longJob;
    }

    [Fact]
    public void What_a_member_throws_is_thrown_here_and_the_others_do_not_wait_for_it()
    {
        var exception = Assert.Throws<InvalidDataException>(() => InferenceWorkers.RunTogether(3, member =>
        {
            if (member.Rank == 1) throw new InvalidDataException("row 7");
            member.Team.Sync();
        }));

        Assert.Equal("row 7", exception.Message);
        int done = 0;
        InferenceWorkers.ForEach(3, 6, (_, _) => Interlocked.Increment(ref done));
        Assert.Equal(6, done);
    }

    [Fact]
    public void After_an_items_failure_no_further_items_begin()
    {
        int begun = 0;
        Assert.Throws<InvalidDataException>(() => InferenceWorkers.ForEach(1, 100, (item, _) =>
        {
            begun++;
            if (item == 3) throw new InvalidDataException();
        }));

        Assert.Equal(4, begun);
    }

    [Fact]
    public void A_part_of_rows_is_nobody_elses_and_all_parts_are_all_rows()
    {
        for (int size = 1; size <= 5; size++)
        {
            for (int count = 0; count < 100; count++)
            {
                var team = new Team(size);
                (int From, int To)[] shares =
                    [.. Enumerable.Range(0, size).Select(rank => new TeamMember(team, rank, rank).Share(count, 8))];
                Assert.Equal(Enumerable.Range(0, count), shares.SelectMany(share => Enumerable.Range(share.From, share.To - share.From)));
                Assert.All(shares, share => Assert.True(share.From % 8 == 0 || share.From == count));
            }
        }
    }
}
