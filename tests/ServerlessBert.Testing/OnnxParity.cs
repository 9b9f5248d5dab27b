using System.Runtime.InteropServices;
using ServerlessBert.Modeling.Checkpoints;
using static TorchSharp.torch;

namespace ServerlessBert.Testing;

/// <summary>The distance of a checkpoint folder's numbers from those that ONNX Runtime computes of a graph.</summary>
public static class OnnxParity
{
    /// <summary>Token ids of texts of many lengths.</summary>
    public static int[][] Rows(int count, int vocabulary, int longest)
    {
        var random = new Random(11);
        return [.. Enumerable.Range(0, count)
            .Select(_ => Enumerable.Range(0, random.Next(2, longest + 1)).Select(_ => random.Next(1, vocabulary)).ToArray())];
    }

    /// <summary>The largest distance between last hidden states of real tokens.</summary>
    public static double OfHiddenStates(string graph, string folder, int[][] rows)
    {
        using var session = new OnnxRuntimeSession(graph);
        using var model = LoadedModel.Load(folder).Model;
        model.eval();
        double distance = 0;
        foreach (int[][] batch in rows.Chunk(8))
        {
            float[] theirs = session.Run("last_hidden_state", batch);
            using var ungraded = no_grad();
            using var scope = NewDisposeScope();
            var (ids, mask) = Padded(batch);
            Tensor states = model.Encoder.call(ids, mask, null).LastHiddenState;
            ReadOnlySpan<float> ours = MemoryMarshal.Cast<byte, float>(states.contiguous().bytes);
            int sequence = batch.Max(row => row.Length), hidden = (int)states.size(2);
            for (int row = 0; row < batch.Length; row++)
                for (int place = row * sequence * hidden, end = place + batch[row].Length * hidden; place < end; place++)
                    distance = Math.Max(distance, Math.Abs(ours[place] - theirs[place]));
        }
        return distance;
    }

    /// <summary>The largest distance between logits.</summary>
    public static double OfLogits(string graph, string folder, int[][] rows)
    {
        using var session = new OnnxRuntimeSession(graph);
        using var model = LoadedModel.Load(folder).Model;
        model.eval();
        double distance = 0;
        foreach (int[][] batch in rows.Chunk(8))
        {
            float[] theirs = session.Run("logits", batch);
            using var ungraded = no_grad();
            using var scope = NewDisposeScope();
            var (ids, mask) = Padded(batch);
            ReadOnlySpan<float> ours = MemoryMarshal.Cast<byte, float>(model.call(ids, mask, null).bytes);
            for (int place = 0; place < ours.Length; place++) distance = Math.Max(distance, Math.Abs(ours[place] - theirs[place]));
        }
        return distance;
    }

    private static (Tensor Ids, Tensor Mask) Padded(int[][] rows)
    {
        int sequence = rows.Max(row => row.Length);
        IEnumerable<int> places = Enumerable.Range(0, sequence);
        Tensor ids = tensor(rows.SelectMany(row => places.Select(place => place < row.Length ? (long)row[place] : 0))
            .ToArray(), [rows.Length, sequence]);
        return (ids, tensor(rows.SelectMany(row => places.Select(place => place < row.Length ? 1L : 0))
            .ToArray(), [rows.Length, sequence]));
    }
}
