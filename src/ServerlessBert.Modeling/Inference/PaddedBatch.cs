using TorchSharp;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling.Inference;

/// <summary>Token ids padded on the right to the batch's longest row: what the model's forward takes.</summary>
public sealed class PaddedBatch : IDisposable
{
    private PaddedBatch(Tensor inputIds, Tensor? attentionMask, int tokens)
    {
        InputIds = inputIds;
        AttentionMask = attentionMask;
        Tokens = tokens;
    }

    /// <summary>Token ids, [batch, sequence], int64.</summary>
    public Tensor InputIds { get; }

    /// <summary>1 for a token, 0 for padding, [batch, sequence], int64; null where nothing is padding.</summary>
    public Tensor? AttentionMask { get; }

    /// <summary>Tokens without padding.</summary>
    public int Tokens { get; }

    /// <summary>Pads rows of ids to the longest of them, or to <paramref name="padTo"/> where that is longer.</summary>
    /// <param name="rows">Token ids of each review, special tokens included.</param>
    /// <param name="paddingId">The id of [PAD].</param>
    /// <param name="device">Where the tensors go.</param>
    /// <param name="padTo">Least sequence length.</param>
    public static PaddedBatch Of(IReadOnlyList<int[]> rows, int paddingId, Device device, int padTo = 0)
    {
        int sequence = Math.Max(padTo, rows.Max(row => row.Length));
        var ids = new long[rows.Count * sequence];
        var mask = new long[ids.Length];
        Array.Fill(ids, paddingId);
        for (int row = 0; row < rows.Count; row++)
        {
            for (int position = 0; position < rows[row].Length; position++)
                ids[row * sequence + position] = rows[row][position];
            Array.Fill(mask, 1, row * sequence, rows[row].Length);
        }
        long[] shape = [rows.Count, sequence];
        int tokens = rows.Sum(row => row.Length);
        return new PaddedBatch(
            torch.tensor(ids, shape, device: device),
            tokens == ids.Length ? null : torch.tensor(mask, shape, device: device),
            tokens);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        InputIds.Dispose();
        AttentionMask?.Dispose();
    }
}

/// <summary>Groups reviews of like length into passes, so that little of a pass is padding.</summary>
public static class TokenBudgetBatches
{
    /// <summary>
    /// Indices by descending length, cut where count × longest would pass the budget. A review longer than the budget
    /// stands alone. The longest come first, so that memory reaches its peak at once.
    /// </summary>
    /// <param name="lengths">Tokens of each review.</param>
    /// <param name="tokenBudget">Most tokens in one pass, padding included; at least 1.</param>
    public static IEnumerable<int[]> Group(IReadOnlyList<int> lengths, int tokenBudget)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(tokenBudget, 1);
        int[] order = [.. Enumerable.Range(0, lengths.Count).OrderByDescending(index => lengths[index]).ThenBy(index => index)];
        for (int start = 0; start < order.Length;)
        {
            int longest = Math.Max(1, lengths[order[start]]);
            int count = Math.Clamp(tokenBudget / longest, 1, order.Length - start);
            yield return order[start..(start + count)];
            start += count;
        }
    }
}
