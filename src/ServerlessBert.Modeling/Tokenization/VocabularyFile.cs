using System.Buffers;
using System.Text;

namespace ServerlessBert.Modeling;

/// <summary>vocab.txt: a token a line, its id the line's number from 0.</summary>
internal static class VocabularyFile
{
    public const string Name = "vocab.txt";

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">The file is empty or not UTF-8.</exception>
    public static string[] Read(string path)
    {
        if (!File.Exists(path)) throw new FileNotFoundException($"There is no vocabulary {path}; take it from the checkpoint's folder.", path);
        string[] lines = Decode(path).Split('\n');
        // A last line without a token after it is the end of the file, not a token.
        if (lines[^1].Length == 0) lines = lines[..^1];
        if (lines.Length == 0) throw new InvalidDataException($"The vocabulary {path} is empty; fetch the checkpoint again.");
        return Array.ConvertAll(lines, line => line.EndsWith('\r') ? line[..^1] : line);
    }

    /// <summary>Whether a token can be a line of the file: valid UTF-16 without line breaks.</summary>
    public static bool IsLine(string token)
    {
        for (int index = 0; index < token.Length;)
        {
            if (token[index] is '\r' or '\n' || Rune.DecodeFromUtf16(token.AsSpan(index), out _, out int length) != OperationStatus.Done) return false;
            index += length;
        }
        return true;
    }

    public static void Write(string path, IReadOnlyList<string> tokens) => File.WriteAllBytes(path, Bytes(tokens));

    /// <summary>The file's bytes.</summary>
    public static byte[] Bytes(IEnumerable<string> tokens) => StrictUtf8.GetBytes(string.Concat(tokens.Select(token => token + "\n")));

    private static string Decode(string path)
    {
        byte[] bytes = File.ReadAllBytes(path);
        ReadOnlySpan<byte> text = bytes;
        if (text.StartsWith(Encoding.UTF8.Preamble)) text = text[Encoding.UTF8.Preamble.Length..];
        try
        {
            return StrictUtf8.GetString(text);
        }
        catch (DecoderFallbackException fault)
        {
            throw new InvalidDataException($"The vocabulary {path} is not UTF-8 from byte {bytes.Length - text.Length + fault.Index} on; fetch the checkpoint again.", fault);
        }
    }
}
