using System.Runtime.Intrinsics;
using CsCheck;
using ServerlessBert.Modeling.Inference.Int8.Kernels;

namespace ServerlessBert.Modeling.Tests.Inference.Int8;

public sealed unsafe class BlockedAttentionTests
{
    // Blocks of 64 keys and 48 queries: below, at and beyond their edges.
    private static readonly Gen<int> Tokens = Gen.OneOf(Gen.Int[1, 70], Gen.Const(64), Gen.Const(128), Gen.Int[100, 200]);

    [VnniFact]
    public void In_float32_it_is_plain_attention() => Compare<float, FloatElement>(1e-5);

    [VnniFact]
    public void In_bfloat16_it_is_plain_attention_within_its_rounding()
    {
        if (Brgemm.MultipliesBFloat16) Compare<ushort, BFloat16Element>(0.03);
    }

    [VnniFact]
    public void A_querys_context_is_the_same_bits_whichever_queries_are_computed_with_it()
    {
        if (Brgemm.MultipliesBFloat16) CompareSingles<ushort, BFloat16Element>();
        CompareSingles<float, FloatElement>();
    }

    private static void Compare<T, TElement>(double tolerance) where T : unmanaged where TElement : struct, IAttentionElement<T> =>
        Gen.Select(Tokens, Gen.Int[1, 4], Gen.Int[1, 4], Gen.Int[0, 10_000]).Sample((tokens, heads, vectors, seed) =>
        {
            using var states = new States<T, TElement>(tokens, heads, vectors * 16, seed);
            double[] expected = states.PlainContexts();
            Assert.All(expected.Zip(states.Attend(0, tokens)), pair => Assert.Equal(pair.First, pair.Second, tolerance));
        }, iter: 40, threads: 1);

    private static void CompareSingles<T, TElement>() where T : unmanaged where TElement : struct, IAttentionElement<T> =>
        Gen.Select(Tokens, Gen.Int[0, 10_000]).Sample((tokens, seed) =>
        {
            using States<T, TElement> all = new(tokens, 2, 32, seed), one = new(tokens, 2, 32, seed);
            int query = seed % tokens;
            Assert.Equal(all.Attend(0, tokens)[(query * 64)..((query + 1) * 64)], one.Attend(query, 1));
        }, iter: 30, threads: 1);

    /// <summary>Random queries, keys and values of a review, rounded as they are stored.</summary>
    private sealed class States<T, TElement> : IDisposable where T : unmanaged where TElement : struct, IAttentionElement<T>
    {
        private readonly int tokens, heads, head, width;
        private readonly NativeBuffer<T> stored; // [tokens, 3, heads × head]
        private readonly float[] values; // the same

        public States(int tokens, int heads, int head, int seed)
        {
            (this.tokens, this.heads, this.head, width) = (tokens, heads, head, heads * head);
            var random = new Random(seed);
            values = [.. Enumerable.Range(0, tokens * 3 * width).Select(_ => (float)((random.NextDouble() * 2) - 1))];
            stored = new NativeBuffer<T>((tokens + 48) * 3 * width);
            for (int i = 0; i < values.Length; i += 16)
            {
                Vector512<float> rounded = TElement.Round(Vector512.Create<float>(values.AsSpan(i)));
                rounded.CopyTo(values, i);
                TElement.Store(rounded, stored.Pointer + i);
            }
        }

        public double[] Attend(int first, int count)
        {
            using var attention = new BlockedAttention<T, TElement>(heads, head, tokens);
            attention.Attend(
                stored.Pointer + (first * 3 * width), 3 * width, count, stored.Pointer + width, stored.Pointer + (2 * width), 3 * width,
                tokens);
            float[] contexts = new float[count * width];
            for (int query = 0; query < count; query++)
                for (int i = 0; i < width; i += 16) TElement.Load(stored.Pointer + ((first + query) * 3 * width) + i)
                    .CopyTo(contexts, (query * width) + i);
            return [.. contexts.Select(value => (double)value)];
        }

        public double[] PlainContexts()
        {
            double[] contexts = new double[tokens * width];
            for (int index = 0; index < heads; index++)
            {
                for (int query = 0; query < tokens; query++)
                {
                    double[] weights =
                        [.. Enumerable.Range(0, tokens)
                        .Select(key => Math.Pow(
                        2, Enumerable.Range(0, head).Sum(i => (double)At(query, 0, index, i) * At(key, 1, index, i))))];
                    double sum = weights.Sum();
                    for (int i = 0; i < head; i++)
                        contexts[(query * width) + (index * head) + i] = Enumerable.Range(0, tokens)
                            .Sum(key => weights[key] * At(key, 2, index, i)) / sum;
                }
            }
            return contexts;
        }

        private float At(int token, int part, int index, int i) => values[(((token * 3) + part) * width) + (index * head) + i];

        public void Dispose() => stored.Dispose();
    }
}
