using ServerlessBert.Modeling.Inference.Packed;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling.Inference;

/// <summary>Forward passes on libtorch's operations, one after the other on <see cref="NativeThread"/>, each on all cores.</summary>
/// <param name="forward">What computes a pass; taken over and disposed.</param>
internal sealed class LibTorchForward(IForward forward) : IBatchForward
{
    /// <summary>The threads that libtorch takes where nothing is said.</summary>
    public static int DefaultThreads { get; } = NativeThread.Run(get_num_threads);

    /// <inheritdoc/>
    public bool IsFast => forward is PackedForward;

    /// <inheritdoc/>
    public float[][] Logits(IReadOnlyList<int[]> rows, InferenceOptions options, CancellationToken cancellationToken)
    {
        var logits = new float[rows.Count][];
        foreach (int[] pass in forward.Passes([.. rows.Select(row => row.Length)], options.TokenBudget))
        {
            cancellationToken.ThrowIfCancellationRequested();
            float[][] answers = OnThreads(options, () => forward.Logits([.. pass.Select(index => rows[index])]));
            for (int i = 0; i < pass.Length; i++) logits[pass[i]] = answers[i];
        }
        return logits;
    }

    /// <summary>Runs on libtorch's thread with the threads that the options ask for.</summary>
    public static T OnThreads<T>(InferenceOptions options, Func<T> function) => NativeThread.Run(() =>
    {
        // OpenMP's number of threads is the calling thread's own, and the last classifier's that computed there.
        int threads = options.Threads ?? DefaultThreads;
        if (get_num_threads() != threads) set_num_threads(threads);
        return function();
    });

    /// <inheritdoc/>
    public void Dispose() => forward.Dispose();
}
