using System.Text;

namespace ServerlessBert.Cli.Output;

/// <summary>
/// Standard output that says when nobody reads any more: .NET's own ignores a closed pipe, and <c>sbert classify … | head -2</c> would
/// classify the whole file into nothing.
/// </summary>
internal static class StandardOutput
{
    /// <summary>The bytes of standard output.</summary>
    public static Stream Open()
    {
        if (OperatingSystem.IsWindows() || !Console.IsOutputRedirected) return Console.OpenStandardOutput();
        var direct = new FileStream(new Microsoft.Win32.SafeHandles.SafeFileHandle(1, ownsHandle: false), FileAccess.Write, bufferSize: 0);
        // A file keeps its own position, which another process, or standard error, may share.
        return direct.CanSeek ? Console.OpenStandardOutput() : new PipeStream(direct);
    }

    /// <summary>Lets <see cref="Console.Out"/> write there.</summary>
    public static void Attach() =>
        Console.SetOut(new StreamWriter(Open(), new UTF8Encoding(encoderShouldEmitUTF8Identifier: false)) { AutoFlush = true });

    private sealed class PipeStream(Stream pipe) : Stream
    {
        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            try
            {
                pipe.Write(buffer);
            }
            catch (IOException exception)
            {
                throw new OutputClosedException(exception);
            }
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Flush()
        {
            // Nothing is held back.
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}

/// <summary>Whoever read standard output has what they wanted: the work ends without a word.</summary>
internal sealed class OutputClosedException(Exception cause) : IOException("Standard output was closed.", cause);
