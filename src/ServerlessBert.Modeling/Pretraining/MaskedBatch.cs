using TorchSharp;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling;

/// <summary>
/// Masked rows of one length as the model takes them. Where a row has special tokens it has fewer positions to predict: they
/// are filled up, with a label that the loss leaves out, to a multiple of four. So shapes recur from step to step, which
/// counts on a CPU: oneDNN compiles a kernel for each new one.
/// </summary>
internal sealed class MaskedBatch : IDisposable
{
    /// <summary>The label of a position that was only filled up: cross_entropy's default for what does not count.</summary>
    public const long Ignored = -100;

    private const int Multiple = 4;

    private MaskedBatch(Tensor inputIds, Tensor positions, Tensor labels, int predicted) =>
        (InputIds, Positions, Labels, Predicted) = (inputIds, positions, labels, predicted);

    /// <summary>[batch, sequence] int64.</summary>
    public Tensor InputIds { get; }

    /// <summary>[batch, wanted] int64.</summary>
    public Tensor Positions { get; }

    /// <summary>[batch * wanted] int64, <see cref="Ignored"/> where nothing is asked.</summary>
    public Tensor Labels { get; }

    /// <summary>Positions that count.</summary>
    public int Predicted { get; }

    /// <summary>Lays masked rows of the same length side by side; the positions of one of them at least count.</summary>
    public static MaskedBatch Of(IReadOnlyList<MaskedTokens> rows, Device device)
    {
        int sequence = rows[0].InputIds.Length;
        int wanted = (rows.Max(row => row.Positions.Length) + Multiple - 1) / Multiple * Multiple;
        long[] ids = [.. rows.SelectMany(row => row.InputIds).Select(id => (long)id)];
        var positions = new long[rows.Count * wanted];
        var labels = new long[positions.Length];
        Array.Fill(labels, Ignored);
        for (int row = 0; row < rows.Count; row++)
        {
            for (int i = 0; i < rows[row].Positions.Length; i++)
                (positions[row * wanted + i], labels[row * wanted + i]) = (rows[row].Positions[i], rows[row].Labels[i]);
        }
        return new MaskedBatch(
            tensor(ids, [rows.Count, sequence], device: device),
            tensor(positions, [rows.Count, wanted], device: device),
            tensor(labels, device: device),
            rows.Sum(row => row.Positions.Length));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        InputIds.Dispose();
        Positions.Dispose();
        Labels.Dispose();
    }
}
