using System.Runtime.ExceptionServices;

namespace ServerlessBert.Modeling.Inference;

/// <summary>
/// The threads that compute forward passes, one a core, for all models of the process and as long as it lives: what oneDNN
/// and the heap keep for a thread is kept for these alone. A job takes the first so many workers; jobs that come together
/// take turns between passes.
/// </summary>
internal static class InferenceWorkers
{
    private static readonly Lock Gate = new();
    private static readonly List<Worker> Workers = [];

    /// <summary>Whether the calling thread is a worker, which must not wait for others.</summary>
    [ThreadStatic]
    private static bool isWorker;

    /// <summary>Runs on so many workers at once and waits; what the first of them throws is thrown here.</summary>
    /// <param name="count">How many workers.</param>
    /// <param name="body">What each does; they may wait for one another by their team.</param>
    public static void RunTogether(int count, Action<TeamMember> body)
    {
        var team = new Team(count);
        var job = new Job(count);
        Enqueue(count, worker => job.Run(team, () => body(new TeamMember(team, worker, worker))));
        job.Wait();
    }

    /// <summary>Runs items, each on one worker, as many at a time as there are workers, and waits.</summary>
    /// <param name="count">How many workers.</param>
    /// <param name="items">How many items.</param>
    /// <param name="body">An item, by its index, and the worker that has it.</param>
    public static void ForEach(int count, int items, Action<int, TeamMember> body)
    {
        count = Math.Min(count, items);
        if (count == 0) return;
        var alone = new Team(1);
        var job = new Job(count);
        int next = -1;
        Enqueue(count, worker => Continue(worker));
        job.Wait();

        void Continue(int worker)
        {
            bool goesOn = false;
            job.Run(alone, () =>
            {
                int item = Interlocked.Increment(ref next);
                if (item >= items || job.HasFailed) return;
                body(item, new TeamMember(alone, 0, worker));
                goesOn = true;
            }, isLast: () => !goesOn);
            if (goesOn) Workers[worker].Add(() => Continue(worker));
        }
    }

    private static void Enqueue(int count, Action<int> action)
    {
        if (isWorker) throw new InvalidOperationException("A worker asked for workers: it would wait for itself.");
        lock (Gate)
        {
            // Into all queues at once: two teams' members come in the same order everywhere, and no team waits for another.
            while (Workers.Count < count) Workers.Add(new Worker(Workers.Count));
            for (int worker = 0; worker < count; worker++)
            {
                int index = worker;
                Workers[index].Add(() => action(index));
            }
        }
    }

    private sealed class Worker
    {
        private readonly System.Collections.Concurrent.BlockingCollection<Action> actions = [];

        public Worker(int index) => new Thread(Work) { Name = $"inference {index}", IsBackground = true }.Start();

        public void Add(Action action) => actions.Add(action);

        private void Work()
        {
            isWorker = true;
            foreach (Action action in actions.GetConsumingEnumerable()) action();
        }
    }

    /// <summary>What is waited for: so many workers, of which one may have failed.</summary>
    private sealed class Job(int workers)
    {
        private readonly CountdownEvent running = new(workers);
        private ExceptionDispatchInfo? failure;

        public bool HasFailed => Volatile.Read(ref failure) is not null;

        public void Run(Team team, Action action, Func<bool>? isLast = null)
        {
            try
            {
                action();
            }
            catch (Exception exception)
            {
                Interlocked.CompareExchange(ref failure, ExceptionDispatchInfo.Capture(exception), null);
                team.Fail();
            }
            if (isLast?.Invoke() ?? true) running.Signal();
        }

        public void Wait()
        {
            running.Wait();
            running.Dispose();
            failure?.Throw();
        }
    }
}
