using ServerlessBert.Modeling.Bert;
using ServerlessBert.Modeling.Checkpoints;
using ServerlessBert.Modeling.Inference.Int8.Kernels;
using ServerlessBert.Modeling.Inference.Packed;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling.Inference.Int8;

/// <summary>
/// BERT in eight bits without libtorch's operations: products by <see cref="Brgemm"/>, all else fused around them by kernels
/// of our own, a forward pass per core. Sums of bytes are exact, and a row's values depend on no other row but its review's:
/// logits are the same to the bit, whatever else is in the batch and however many workers there are.
/// </summary>
internal static class Int8Forward
{
    /// <summary>Whether this libtorch and this processor have what it takes.</summary>
    public static bool IsSupported => Brgemm.IsSupported;

    /// <summary>Packs a checkpoint's weights; they are read, not kept.</summary>
    /// <param name="config">The model's shape.</param>
    /// <param name="weights">The checkpoint.</param>
    /// <param name="defaultThreads">Workers where the options name none.</param>
    public static IBatchForward Create(BertConfig config, IWeightSource weights, int defaultThreads) => Brgemm.MultipliesBFloat16
        ? new Int8Forward<ushort, BFloat16Element>(config, Pack(config, weights), defaultThreads)
        : new Int8Forward<float, FloatElement>(config, Pack(config, weights), defaultThreads);

    private static EncoderWeights Pack(BertConfig config, IWeightSource weights)
    {
        using var mode = inference_mode();
        using var scope = NewDisposeScope();
        var shape = new EncoderShape(config);
        var layers = new EncoderLayerWeights[config.NumHiddenLayers];
        // Attention takes powers of two, so that the logarithm's base is in the query's weights too.
        double scale = 1 / (Math.Sqrt(config.HeadSize) * Math.Log(2));
        NormWeights embedding =
            NormWeights.Read(weights.Read, "bert.embeddings.LayerNorm", CalibrationStates.Embed(weights, config), config),
            before = embedding;
        for (int index = 0; index < layers.Length; index++)
        {
            // A layer's own weights are freed before the next one's are read: both forms are never whole in memory.
            using var layerScope = NewDisposeScope();
            layers[index] = new EncoderLayerWeights(new LayerWeights(weights, index, scale), config, shape, before);
            before = layers[index].OutputNormWeights;
            before.Weight.MoveToOuterDisposeScope();
            before.Bias.MoveToOuterDisposeScope();
            before.States.MoveToOuterDisposeScope();
        }
        return new EncoderWeights(
            shape, new EmbeddingTable(weights, shape), EncoderLayerWeights.Norm(embedding, config), layers,
            new ClassificationHead(weights, config, shape));
    }
}

/// <inheritdoc cref="Int8Forward"/>
/// <typeparam name="T">How queries, keys and values are stored.</typeparam>
/// <typeparam name="TElement">Their dtype.</typeparam>
internal sealed class Int8Forward<T, TElement>(BertConfig config, EncoderWeights weights, int defaultThreads) : IBatchForward
    where T : unmanaged where TElement : struct, IAttentionElement<T>
{
    private readonly Lock gate = new();
    private readonly List<WorkerMemory> workers = []; // each worker's own
    private int holders = 1; // the owner, and every call that computes
    private bool isDisposed;

    public bool IsFast => true;

    public float[][] Logits(IReadOnlyList<int[]> rows, InferenceOptions options, CancellationToken cancellationToken)
    {
        Hold();
        try
        {
            return Compute(rows, options, cancellationToken);
        }
        finally
        {
            Release();
        }
    }

    /// <summary>Frees the weights, when the calls that compute have ended: they are not waited for.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            if (isDisposed) return;
            isDisposed = true;
        }
        Release();
    }

    private float[][] Compute(IReadOnlyList<int[]> rows, InferenceOptions options, CancellationToken cancellationToken)
    {
        int threads = options.Threads ?? defaultThreads;
        var logits = new float[rows.Count][];
        PassPlan plan = PassPlan.Create([.. rows.Select(row => row.Length)], options.TokenBudget, threads);
        cancellationToken.ThrowIfCancellationRequested();
        if (plan.Together)
        {
            var reviews = new PassReviews(rows, plan.Passes[0], logits);
            PassBuffers<T>? buffers = null;
            InferenceWorkers.RunTogether(threads, member =>
            {
                WorkerMemory memory = MemoryOf(member.Worker);
                if (member.Rank == 0) buffers = memory.Buffers(weights.Shape, reviews);
                member.Team.Sync();
                memory.Pass.Run(reviews, buffers!, member);
            });
        }
        else
        {
            InferenceWorkers.ForEach(threads, plan.Passes.Count, (pass, member) =>
            {
                cancellationToken.ThrowIfCancellationRequested();
                var reviews = new PassReviews(rows, plan.Passes[pass], logits);
                WorkerMemory memory = MemoryOf(member.Worker);
                memory.Pass.Run(reviews, memory.Buffers(weights.Shape, reviews), member);
            });
        }
        return logits;
    }

    private WorkerMemory MemoryOf(int worker)
    {
        lock (gate)
        {
            while (workers.Count <= worker) workers.Add(
                new WorkerMemory(new EncoderPass<T, TElement>(weights, config.MaxPositionEmbeddings)));
            return workers[worker];
        }
    }

    private void Hold()
    {
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(isDisposed, typeof(ReviewClassifier));
            holders++;
        }
    }

    private void Release()
    {
        lock (gate)
        {
            if (--holders > 0) return;
        }
        foreach (WorkerMemory memory in workers) memory.Dispose();
        foreach (EncoderLayerWeights layer in weights.Layers) layer.Dispose();
        weights.Embeddings.Dispose();
        weights.EmbeddingNorm.Dispose();
        weights.Head.Dispose();
        NativeHeap.Trim();
    }

    private sealed class WorkerMemory(EncoderPass<T, TElement> pass) : IDisposable
    {
        private PassBuffers<T>? buffers;

        public EncoderPass<T, TElement> Pass => pass;

        /// <summary>Buffers that hold a pass, kept for the next.</summary>
        public PassBuffers<T> Buffers(EncoderShape shape, PassReviews reviews)
        {
            if (buffers is not null && buffers.Tokens >= reviews.Tokens && buffers.Reviews >= reviews.Count) return buffers;
            int tokens = Math.Max(buffers?.Tokens ?? 0, reviews.Tokens), count = Math.Max(buffers?.Reviews ?? 0, reviews.Count);
            buffers?.Dispose();
            return buffers = new PassBuffers<T>(shape, tokens, count);
        }

        public void Dispose()
        {
            pass.Dispose();
            buffers?.Dispose();
        }
    }
}
