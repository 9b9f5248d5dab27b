using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace ServerlessBert.Pipeline.Models;

/// <summary>A version that runs beside the live one on a share of the batches.</summary>
/// <param name="Version">Its name.</param>
/// <param name="Share">The share of batches, above 0 and at most 1.</param>
/// <param name="Since">When it was set.</param>
public sealed record ModelShadow(string Version, double Share, DateTimeOffset Since)
{
    /// <summary>Whether it runs on a batch: a function of run and index alone, so that a message delivered twice means the same twice.</summary>
    /// <param name="run">The run's id.</param>
    /// <param name="batch">The batch's index.</param>
    public bool Takes(string run, int batch)
    {
        byte[] hash = SHA256.HashData(Encoding.UTF8.GetBytes($"{run}\n{batch}"));
        // The top 53 bits, as many as a double holds exactly: evenly spread over [0, 1).
        double place = (BinaryPrimitives.ReadUInt64BigEndian(hash) >> 11) * (1.0 / (1UL << 53));
        return place < Share;
    }
}
