using System.Runtime.CompilerServices;
using ServerlessBert.Reviews.Decoding;
using ServerlessBert.Reviews.Records;

namespace ServerlessBert.Reviews.Files;

/// <summary>Reads whole contents, for whoever needs no plan: training data, evaluation, tests.</summary>
public static class ReviewFileReader
{
    /// <summary>
    /// Every row of the content, in order; see <see cref="LocalReviewFile.OpenAsync(Stream, string, ReviewOptions,
    /// CancellationToken)"/>.
    /// </summary>
    /// <exception cref="ReviewFileException">The content cannot be read as reviews.</exception>
    public static async IAsyncEnumerable<Review> ReadAsync(
        Stream content, string name, ReviewOptions options, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await foreach ((_, IReadOnlyList<Review> reviews) in ReadBatchesAsync(content, name, options, cancellationToken)
            .ConfigureAwait(false))
        {
            foreach (Review review in reviews) yield return review;
        }
    }

    /// <summary>Every batch of the content with its rows, in order.</summary>
    /// <exception cref="ReviewFileException">The content cannot be read as reviews.</exception>
    public static async IAsyncEnumerable<(ReviewBatch Batch, IReadOnlyList<Review> Reviews)> ReadBatchesAsync(
        Stream content, string name, ReviewOptions options, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        LocalReviewFile file = await LocalReviewFile.OpenAsync(content, name, options, cancellationToken).ConfigureAwait(false);
        await using (file.ConfigureAwait(false))
        {
            await foreach ((ReviewBatch, IReadOnlyList<Review>) batch in file.ReadBatchesAsync(cancellationToken)
                .ConfigureAwait(false)) yield return batch;
        }
    }
}

/// <summary>A review file on this machine: split, and read batch by batch, by the same rules as a dropped one.</summary>
public sealed class LocalReviewFile : IAsyncDisposable
{
    private readonly Stream _content;
    private readonly bool _ownsContent;
    private readonly long _start;
    private readonly ReviewOptions _options;

    private LocalReviewFile(Stream content, bool ownsContent, long start, ReviewFilePlan plan, ReviewOptions options) =>
        (_content, _ownsContent, _start, Plan, _options) = (content, ownsContent, start, plan, options);

    /// <summary>The file's layout and batches.</summary>
    public ReviewFilePlan Plan { get; }

    /// <summary>Opens and splits a file.</summary>
    /// <exception cref="ReviewFileException">The file cannot be read as reviews.</exception>
    /// <exception cref="IOException">The file cannot be read at all.</exception>
    public static async Task<LocalReviewFile> OpenAsync(string path, ReviewOptions options, CancellationToken cancellationToken = default)
    {
        var content = new FileStream(path, new FileStreamOptions { Options = FileOptions.Asynchronous | FileOptions.SequentialScan });
        try
        {
            LocalReviewFile file = await OpenAsync(content, Path.GetFileName(path), options, cancellationToken).ConfigureAwait(false);
            if (file._content != content) await content.DisposeAsync().ConfigureAwait(false);
            return new LocalReviewFile(file._content, ownsContent: true, file._start, file.Plan, options);
        }
        catch
        {
            await content.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>
    /// Splits a content, which stays the caller's. One that is compressed, in UTF-16, Parquet or cannot seek goes through a
    /// temporary file.
    /// </summary>
    /// <param name="content">The file's bytes, from the stream's position.</param>
    /// <param name="name">Its name, for its form.</param>
    /// <param name="options">Field names and limits.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <exception cref="ReviewFileException">The content cannot be read as reviews; <c>unknown_format</c> where the name tells no
    /// form.</exception>
    public static async Task<LocalReviewFile> OpenAsync(
        Stream content, string name, ReviewOptions options, CancellationToken cancellationToken = default)
    {
        if (!ReviewContent.TryGetFormat(name, out ReviewFormat format, out _, out string? reason))
            throw new ReviewFileException("unknown_format", reason);
        bool isPlain = content.CanSeek && !await NeedsRewritingAsync(content, name, cancellationToken).ConfigureAwait(false);
        Stream plain = isPlain ? content : await RewriteAsync(content, name, options, cancellationToken).ConfigureAwait(false);
        try
        {
            long start = plain.Position;
            ReviewFilePlan plan = await ReviewSplitter.SplitAsync(plain, format, options, cancellationToken).ConfigureAwait(false);
            return new LocalReviewFile(plain, ownsContent: !isPlain, start, plan, options);
        }
        catch when (!isPlain)
        {
            await plain.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>The reviews of one of the plan's batches. Not for two callers at once: they share the file's position.</summary>
    public async Task<IReadOnlyList<Review>> ReadAsync(ReviewBatch batch, CancellationToken cancellationToken = default)
    {
        if (batch.Error is not null) return ReviewReader.Read(default, Plan.Layout, batch, _options);
        byte[] bytes = new byte[checked((int)batch.Length)];
        _content.Position = _start + batch.Offset;
        await _content.ReadExactlyAsync(bytes, cancellationToken).ConfigureAwait(false);
        return ReviewReader.Read(bytes, Plan.Layout, batch, _options);
    }

    /// <summary>All batches with their reviews, in order.</summary>
    public async IAsyncEnumerable<(ReviewBatch Batch, IReadOnlyList<Review> Reviews)> ReadBatchesAsync(
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        foreach (ReviewBatch batch in Plan.Batches) yield return (batch, await ReadAsync(batch, cancellationToken).ConfigureAwait(false));
    }

    /// <summary>All reviews, in order.</summary>
    public async IAsyncEnumerable<Review> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await foreach ((_, IReadOnlyList<Review> reviews) in ReadBatchesAsync(cancellationToken).ConfigureAwait(false))
        {
            foreach (Review review in reviews) yield return review;
        }
    }

    /// <summary>Closes what was opened here: the file, and the temporary one.</summary>
    public ValueTask DisposeAsync() => _ownsContent ? _content.DisposeAsync() : ValueTask.CompletedTask;

    private static async Task<bool> NeedsRewritingAsync(Stream content, string name, CancellationToken cancellationToken)
    {
        long start = content.Position;
        byte[] head = new byte[ReviewContent.MagicBytes];
        int length = await content.ReadAtLeastAsync(head, head.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
        content.Position = start;
        return ReviewContent.NeedsRewriting(name, head.AsSpan(0, length));
    }

    private static async Task<Stream> RewriteAsync(Stream content, string name, ReviewOptions options, CancellationToken cancellationToken)
    {
        // A Parquet file from a pipe: what says where its rows are comes last.
        if (ReviewContent.IsParquet(name) && !content.CanSeek)
        {
            await using Stream whole = await CopyAsync(content, cancellationToken).ConfigureAwait(false);
            return await RewriteAsync(whole, name, options, cancellationToken).ConfigureAwait(false);
        }
        await using Stream utf8 = ReviewContent.OpenAsUtf8(content, name, options, leaveOpen: true);
        return await CopyAsync(utf8, cancellationToken).ConfigureAwait(false);
    }

    private static async Task<Stream> CopyAsync(Stream content, CancellationToken cancellationToken)
    {
        // Made by GetTempFileName so that only this user can read it: reviews are personal data.
        var copy = new FileStream(Path.GetTempFileName(), new FileStreamOptions
        {
            Mode = FileMode.Open,
            Access = FileAccess.ReadWrite,
            Options = FileOptions.Asynchronous | FileOptions.DeleteOnClose,
        });
        try
        {
            await content.CopyToAsync(copy, cancellationToken).ConfigureAwait(false);
            copy.Position = 0;
            return copy;
        }
        catch
        {
            await copy.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }
}
