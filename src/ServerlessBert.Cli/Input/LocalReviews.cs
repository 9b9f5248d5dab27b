using ServerlessBert.Cli.Output;
using ServerlessBert.Modeling.Reports;
using ServerlessBert.Pipeline.Retraining;
using ServerlessBert.Reviews;
using ServerlessBert.Reviews.Files;

namespace ServerlessBert.Cli.Input;

/// <summary>Labelled rows of files on this machine, with one note for each thing that was left out.</summary>
internal static class LocalReviews
{
    public static async Task<(LabelledReviews Reviews, IReadOnlyList<TrainingSource> Sources)> LabelledAsync(
        IEnumerable<FileInfo> files, CancellationToken cancellationToken)
    {
        var (reviews, sources) = await ReadAsync(files, cancellationToken);
        Report(reviews);
        return (reviews, sources);
    }

    /// <summary>The same without the notes, for who reports them later.</summary>
    public static async Task<(LabelledReviews Reviews, IReadOnlyList<TrainingSource> Sources)> ReadAsync(
        IEnumerable<FileInfo> files, CancellationToken cancellationToken)
    {
        FileInfo[] existing = [.. files.Select(InputFile.Require)];
        ReviewOptions options = ReviewSettings.Load();
        var reviews = new LabelledReviews();
        var sources = new List<TrainingSource>();
        foreach (FileInfo file in existing)
        {
            await using FileStream content = file.OpenRead();
            int rows = await InputFile.ReadAsync(file.Name, () => reviews.AddAsync(content, file.Name, options, cancellationToken));
            sources.Add(new TrainingSource(file.Name, null, rows));
        }
        return (reviews, sources);
    }

    /// <summary>A note for each thing that was left out.</summary>
    public static void Report(LabelledReviews reviews)
    {
        foreach (string note in reviews.Remarks) Terminal.Log(note);
    }
}

/// <summary>The texts of review files on this machine, rated or not.</summary>
internal static class LocalTexts
{
    public static async Task<IReadOnlyList<string>> ReadAsync(IEnumerable<FileInfo> files, CancellationToken cancellationToken)
    {
        FileInfo[] existing = [.. files.Select(InputFile.Require)];
        ReviewOptions options = ReviewSettings.Load();
        var texts = new List<string>();
        long errors = 0;
        foreach (FileInfo file in existing) errors += await InputFile.ReadAsync(
            file.Name, () => ReadAsync(file, options, texts, cancellationToken));
        if (errors > 0) Terminal.Log($"left out: {Count.Of(errors, "unreadable row")}");
        return texts;
    }

    private static async Task<long> ReadAsync(FileInfo file, ReviewOptions options, List<string> texts, CancellationToken cancellationToken)
    {
        long errors = 0;
        await using FileStream content = file.OpenRead();
        await foreach (Review review in ReviewFileReader.ReadAsync(content, file.Name, options, cancellationToken))
        {
            if (review.Error is null) texts.Add(review.Text);
            else errors++;
        }
        return errors;
    }
}
