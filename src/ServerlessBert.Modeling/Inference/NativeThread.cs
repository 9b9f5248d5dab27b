using System.Collections.Concurrent;

namespace ServerlessBert.Modeling.Inference;

/// <summary>
/// The one thread of the process on which classifiers load, compute and are freed; those who ask take turns, since each
/// of it uses every core. What libtorch, oneDNN, OpenMP and glibc keep for a thread (compiled kernels, a team of workers,
/// an arena of the heap) is never given back: on whatever thread of a pool came next, a host was measured to grow with
/// every model that it swapped. And where two threads have a team each, OpenMP's workers sleep at every barrier, because
/// they are more than there are cores: two threads were then 1.5 times as fast as one, not 1.85 times.
/// </summary>
internal static class NativeThread
{
    private static readonly BlockingCollection<Action> Actions = [];

    private static readonly Lazy<Thread> Started = new(() =>
    {
        var thread = new Thread(Work) { Name = "libtorch", IsBackground = true };
        thread.Start();
        return thread;
    });

    /// <summary>Runs on the thread, after what was asked for before, and waits; what is thrown there is thrown here.</summary>
    public static T Run<T>(Func<T> function)
    {
        if (Thread.CurrentThread == Started.Value) return function();
        var task = new Task<T>(function);
        Actions.Add(task.RunSynchronously);
        return task.GetAwaiter().GetResult();
    }

    /// <inheritdoc cref="Run{T}"/>
    public static void Run(Action action) => Run(() =>
    {
        action();
        return true;
    });

    /// <summary>
    /// Runs on the thread, after what was asked for before, and does not wait. Nobody could catch what is thrown, so it ends the
    /// process.
    /// </summary>
    public static void Post(Action action)
    {
        _ = Started.Value;
        Actions.Add(action);
    }

    private static void Work()
    {
        foreach (Action action in Actions.GetConsumingEnumerable()) action();
    }
}
