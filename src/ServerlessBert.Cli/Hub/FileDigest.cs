using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace ServerlessBert.Cli.Hub;

/// <summary>The hashes by which the hub names contents.</summary>
internal static class FileDigest
{
    private const int BufferSize = 1 << 20;

    /// <summary>The SHA-256 of a file, in lower-case hexadecimal.</summary>
    public static async Task<string> Sha256Async(string path, CancellationToken cancellationToken)
    {
        await using FileStream file = Open(path);
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(file, cancellationToken));
    }

    /// <summary>The id that git gives a file: the SHA-1 of <c>blob LENGTH\0</c> and its bytes.</summary>
    public static async Task<string> GitBlobAsync(string path, CancellationToken cancellationToken)
    {
        await using FileStream file = Open(path);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA1);
        hash.AppendData(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"blob {file.Length}\0")));
        byte[] buffer = new byte[BufferSize];
        while (await file.ReadAsync(buffer, cancellationToken) is var read and > 0) hash.AppendData(buffer, 0, read);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>Whether a file is there and is what the hub describes, by the best mark that the hub gives: a hash, else the length.</summary>
    public static async Task<bool> MatchesAsync(string path, HubFile file, CancellationToken cancellationToken)
    {
        if (!File.Exists(path) || (file.Size is { } size && new FileInfo(path).Length != size)) return false;
        if (file.Sha256 is { } sha256) return AreEqual(await Sha256Async(path, cancellationToken), sha256);
        if (file.GitBlob is { } blob) return AreEqual(await GitBlobAsync(path, cancellationToken), blob);
        return file.Size is not null;
    }

    /// <summary>Compares two hashes in hexadecimal.</summary>
    public static bool AreEqual(string one, string other) => one.Equals(other, StringComparison.OrdinalIgnoreCase);

    private static FileStream Open(string path) => new(path, FileMode.Open, FileAccess.Read, FileShare.Read, BufferSize, FileOptions.SequentialScan);
}
