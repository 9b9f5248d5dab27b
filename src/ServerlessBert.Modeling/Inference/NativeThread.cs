using System.Collections.Concurrent;

namespace ServerlessBert.Modeling;

/// <summary>
/// A thread that lives as long as the process, for work in libtorch. What libtorch, oneDNN, OpenMP and glibc keep for
/// a thread (compiled kernels, a team of workers, an arena of the heap) is never given back: on whatever thread of a
/// pool comes next, a host was measured to grow with every model that it swapped (docs/performance.md).
/// </summary>
internal sealed class NativeThread
{
    private readonly BlockingCollection<Task> work = [];
    private readonly Thread thread;

    private NativeThread(string name)
    {
        thread = new Thread(Work) { Name = name, IsBackground = true };
        thread.Start();
    }

    /// <summary>For passes: they take turns, since one pass uses every core.</summary>
    public static NativeThread Passes { get; } = new("passes");

    /// <summary>For loading, so that a model can be loaded while another one answers.</summary>
    public static NativeThread Loading { get; } = new("loading");

    /// <summary>Runs on this thread, after what was asked for before, and waits; what is thrown there is thrown here.</summary>
    public T Run<T>(Func<T> function)
    {
        if (Thread.CurrentThread == thread) return function();
        var task = new Task<T>(function);
        work.Add(task);
        return task.GetAwaiter().GetResult();
    }

    /// <inheritdoc cref="Run{T}"/>
    public void Run(Action action) => Run(() =>
    {
        action();
        return true;
    });

    private void Work()
    {
        foreach (Task task in work.GetConsumingEnumerable()) task.RunSynchronously();
    }
}
