using ServerlessBert.Cli.Output;
using ServerlessBert.Reviews;

namespace ServerlessBert.Cli.Input;

/// <summary>Standard input, where a person or a pipe writes.</summary>
internal static class StandardInput
{
    /// <summary>The file name that stands for it.</summary>
    public const string Name = "-";

    private const int HeadBytes = 1 << 16;

    /// <summary>Its text, for verbs that take one on the command line or here.</summary>
    /// <param name="missing">What is said where a person sits at the terminal and gave nothing.</param>
    /// <exception cref="UsageException">Nothing comes: it is a terminal.</exception>
    public static TextReader OpenText(string missing)
    {
        if (!Console.IsInputRedirected) throw new UsageException(missing);
        return Console.In;
    }

    /// <summary>Its bytes, with a name whose ending tells their form: the one that is given, else the one that they look like.</summary>
    /// <param name="format">jsonl, csv, tsv, txt or null.</param>
    /// <param name="options">Names of fields, by which a header is known.</param>
    /// <exception cref="UsageException">Nothing comes: it is a terminal.</exception>
    public static (Stream Content, string Name) OpenReviews(string? format, ReviewOptions options)
    {
        if (!Console.IsInputRedirected)
            throw new UsageException("- reads reviews from standard input, which is a terminal; give a file, or pipe one in.");
        Stream input = Console.OpenStandardInput();
        byte[] buffer = new byte[HeadBytes];
        int length = input.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
        string looks = Recognize(buffer.AsSpan(0, length), options);
        if (format is null) Terminal.Log($"standard input is read as {looks}; --input-format says otherwise");
        return (new HeadedStream(buffer.AsMemory(0, length), input), $"standard-input.{format ?? looks}");
    }

    /// <summary>The form that a head of bytes looks like.</summary>
    internal static string Recognize(ReadOnlySpan<byte> head, ReviewOptions options)
    {
        string text = System.Text.Encoding.UTF8.GetString(head).TrimStart('\uFEFF', ' ', '\r', '\n');
        if (text.StartsWith('{')) return "jsonl";
        string[] known = [.. options.TextFields, .. options.StarsFields, .. options.LabelFields];
        string line = text.Split('\n')[0];
        return HasKnown(line, '\t') ? "tsv" : HasKnown(line, ',') || IsYelp(line) ? "csv" : "txt";

        bool HasKnown(string header, char delimiter) => header.Split(delimiter) is { Length: > 1 } cells
            && cells.Any(cell => known.Contains(cell.Trim(' ', '"', '\r'), StringComparer.OrdinalIgnoreCase));
    }

    // yelp_review_full's two columns, without a header.
    private static bool IsYelp(string line) => line is ['"', >= '1' and <= '5', '"', ',', '"', ..];

    /// <summary>Bytes that were read already, then the rest.</summary>
    private sealed class HeadedStream(ReadOnlyMemory<byte> head, Stream rest) : Stream
    {
        private ReadOnlyMemory<byte> left = head;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override int Read(Span<byte> buffer)
        {
            if (left.IsEmpty) return rest.Read(buffer);
            int count = Math.Min(buffer.Length, left.Length);
            left.Span[..count].CopyTo(buffer);
            left = left[count..];
            return count;
        }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            left.IsEmpty ? rest.ReadAsync(buffer, cancellationToken) : ValueTask.FromResult(Read(buffer.Span));

        public override void Flush() => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing) rest.Dispose();
            base.Dispose(disposing);
        }
    }
}
