using System.Runtime.Intrinsics;

namespace ServerlessBert.Modeling.Inference.Int8.Kernels;

/// <summary>
/// Attention of one review, head by head and block by block of queries: a block's scores for all keys stay in cache, and no
/// matrix of scores is ever whole. Queries come scaled by log₂(e) / √head, so that the softmax takes powers of 2.
/// </summary>
/// <typeparam name="T">How queries, keys and values are stored.</typeparam>
/// <typeparam name="TElement">Their dtype.</typeparam>
internal sealed unsafe class BlockedAttention<T, TElement> : IDisposable where T : unmanaged where TElement : struct, IAttentionElement<T>
{
    private const int QueryBlock = 48, KeyBlock = 64, RowMultiple = QuantizedLinear.RowMultiple;

    private readonly int heads, head;
    private readonly NativeBuffer<T> keys, values; // packed, of one head
    private readonly NativeBuffer<float> scores; // [key blocks, QueryBlock, KeyBlock]
    private readonly NativeBuffer<T> weights; // the same, after the softmax and before its division
    private readonly NativeBuffer<float> perSum; // 1 / sum of a query's weights, [QueryBlock]
    private readonly NativeBuffer<float> contexts; // [QueryBlock, head]

    /// <param name="heads">Heads.</param>
    /// <param name="head">Numbers of a head, a multiple of 16.</param>
    /// <param name="maxKeys">Most tokens of a review.</param>
    public BlockedAttention(int heads, int head, int maxKeys)
    {
        (this.heads, this.head) = (heads, head);
        int most = Lanes.RoundUp(maxKeys, KeyBlock);
        keys = new NativeBuffer<T>(most * head);
        values = new NativeBuffer<T>(most * head);
        scores = new NativeBuffer<float>(most * QueryBlock);
        weights = new NativeBuffer<T>(most * QueryBlock);
        perSum = new NativeBuffer<float>(QueryBlock);
        contexts = new NativeBuffer<float>(QueryBlock * head);
    }

    /// <summary>Replaces queries by their contexts.</summary>
    /// <param name="queries">The first query's row, all heads side by side.</param>
    /// <param name="queryStride">From a query to its next; behind the last there must be room for seven more.</param>
    /// <param name="queryCount">Queries.</param>
    /// <param name="firstKey">The review's first key.</param>
    /// <param name="firstValue">Its first value.</param>
    /// <param name="keyStride">From a key or value to its next.</param>
    /// <param name="keyCount">The review's tokens.</param>
    public void Attend(T* queries, int queryStride, int queryCount, T* firstKey, T* firstValue, int keyStride, int keyCount)
    {
        for (int index = 0; index < heads; index++)
        {
            PackKeys(firstKey + index * head, keyStride, keyCount);
            PackValues(firstValue + index * head, keyStride, keyCount);
            for (int start = 0; start < queryCount; start += QueryBlock)
                Block(queries + (long)start * queryStride + index * head, queryStride, Math.Min(QueryBlock, queryCount - start), keyCount);
        }
    }

    private void Block(T* query, int queryStride, int rows, int keyCount)
    {
        int computed = Lanes.RoundUp(rows, RowMultiple);
        for (int key = 0; key < keyCount; key += KeyBlock)
            TElement.Multiply(
                computed, Columns(keyCount - key), head, query, queryStride, keys.Pointer + key * head, scores.Pointer + key * QueryBlock,
                KeyBlock, accumulate: false);
        for (int row = 0; row < rows; row++) perSum.Pointer[row] = 1 / Softmax(row * KeyBlock, keyCount);
        for (int key = 0; key < keyCount; key += KeyBlock)
            TElement.Multiply(
                computed, head, Columns(keyCount - key), weights.Pointer + key * QueryBlock, KeyBlock, values.Pointer + key * head,
                contexts.Pointer, head, accumulate: key > 0);
        for (int row = 0; row < rows; row++)
        {
            Vector512<float> factor = Vector512.Create(perSum.Pointer[row]);
            for (int i = 0; i < head; i += Lanes.Count)
                TElement.Store(Vector512.Load(contexts.Pointer + row * head + i) * factor, query + (long)row * queryStride + i);
        }
    }

    // Keys of a block that are computed: few different numbers, so few kernels.
    private static int Columns(int keysLeft) => Math.Min(KeyBlock, Lanes.RoundUp(keysLeft, Lanes.Count));

    // 2^(score − greatest), and the sum of what they were rounded to.
    private float Softmax(int offset, int keyCount)
    {
        float* score = scores.Pointer;
        T* target = weights.Pointer;
        Mask(score, offset, keyCount);
        Vector512<float> greatest = Vector512.Create(float.NegativeInfinity);
        for (int key = 0; key < keyCount; key += Lanes.Count)
            greatest = Vector512.MaxNative(greatest, Vector512.Load(score + Place(offset, key)));
        Vector512<float> all = Vector512.Create(Lanes.Greatest(greatest)), sum = Vector512<float>.Zero;
        for (int key = 0; key < keyCount; key += Lanes.Count)
        {
            int place = Place(offset, key);
            Vector512<float> weight = TElement.Round(Lanes.Exp2(Vector512.Load(score + place) - all));
            TElement.StoreRounded(weight, target + place);
            sum += weight;
        }
        return Vector512.Sum(sum);
    }

    private static int Place(int offset, int key) => offset + key / KeyBlock * KeyBlock * QueryBlock + key % KeyBlock;

    // Scores of keys that do not exist weigh nothing.
    private static void Mask(float* score, int offset, int keyCount)
    {
        int rest = keyCount % Lanes.Count;
        if (rest == 0) return;
        float* last = score + Place(offset, keyCount - rest);
        Vector512<int> exists = Vector512.LessThan(Vector512<int>.Indices, Vector512.Create(rest));
        Vector512.ConditionalSelect(exists.AsSingle(), Vector512.Load(last), Vector512.Create(float.NegativeInfinity)).Store(last);
    }

    // [key blocks, head / group, keys of the block, group], zeros for keys that do not exist.
    private void PackKeys(T* first, int stride, int count)
    {
        int units = head / TElement.Group;
        for (int start = 0; start < count; start += KeyBlock)
        {
            int columns = Columns(count - start), real = Math.Min(KeyBlock, count - start);
            uint* block = (uint*)(keys.Pointer + start * head);
            for (int key = 0; key < columns; key++)
            {
                uint* source = (uint*)(first + (long)(start + key) * stride);
                for (int unit = 0; unit < units; unit++) block[unit * columns + key] = key < real ? source[unit] : 0;
            }
        }
    }

    // [keys / group, head, group], zeros for keys that do not exist.
    private void PackValues(T* first, int stride, int count)
    {
        int padded = Lanes.RoundUp(count, Lanes.Count);
        uint* target = (uint*)values.Pointer;
        T* zeros = stackalloc T[Lanes.Count];
        new Span<T>(zeros, Lanes.Count).Clear();
        for (int key = 0; key < padded; key += TElement.Group)
        {
            for (int i = 0; i < head; i += Lanes.Count, target += Lanes.Count)
                TElement.Interleave(Source(key) + i * Step(key), Source(key + 1) + i * Step(key + 1), target);
        }

        T* Source(int key) => key < count ? first + (long)key * stride : zeros;
        int Step(int key) => key < count ? 1 : 0;
    }

    public void Dispose()
    {
        keys.Dispose();
        values.Dispose();
        scores.Dispose();
        weights.Dispose();
        perSum.Dispose();
        contexts.Dispose();
    }
}
