namespace ServerlessBert.Cli.Hub;

/// <summary>What the hub says of a file before it is fetched.</summary>
/// <param name="Name">A plain file name.</param>
/// <param name="Size">Bytes, where the hub says so.</param>
/// <param name="ETag">The hub's own mark of the content, without quotes: the SHA-256 of a file in large file storage, the git blob id of any other.</param>
internal sealed record HubFile(string Name, long? Size, string? ETag)
{
    private const int Sha256Digits = 64, GitBlobDigits = 40;

    /// <summary>The content's SHA-256 in hexadecimal, where the ETag is one.</summary>
    public string? Sha256 => IsHexadecimal(Sha256Digits) ? ETag : null;

    /// <summary>The content's git blob id (a SHA-1), where the ETag looks like one; a mirror's may be something else.</summary>
    public string? GitBlob => IsHexadecimal(GitBlobDigits) ? ETag : null;

    private bool IsHexadecimal(int digits) => ETag?.Length == digits && ETag.All(char.IsAsciiHexDigit);
}
