using ServerlessBert.Cli.Output;
using ServerlessBert.Modeling.Reports;
using ServerlessBert.Pipeline.Retraining;
using ServerlessBert.Reviews;
using ServerlessBert.Reviews.Files;

namespace ServerlessBert.Cli.Input;

/// <summary>Labelled rows of files on this machine, with one remark for each thing that was left out.</summary>
internal static class LocalReviews
{
    public static async Task<(LabelledReviews Reviews, IReadOnlyList<TrainingSource> Sources)> LabelledAsync(IEnumerable<FileInfo> files, CancellationToken cancellationToken)
    {
        var reviews = new LabelledReviews();
        var sources = new List<TrainingSource>();
        foreach (FileInfo file in files)
        {
            if (!file.Exists) throw new UsageException($"{file.FullName} is not there.");
            await using FileStream content = file.OpenRead();
            int rows = await reviews.AddAsync(content, file.Name, new ReviewOptions(), cancellationToken);
            sources.Add(new TrainingSource(file.Name, null, rows));
        }
        foreach (string remark in reviews.Remarks) Terminal.Say(remark);
        return (reviews, sources);
    }
}

/// <summary>The texts of review files on this machine, rated or not.</summary>
internal static class LocalTexts
{
    public static async Task<IReadOnlyList<string>> ReadAsync(IEnumerable<FileInfo> files, CancellationToken cancellationToken)
    {
        var texts = new List<string>();
        long errors = 0;
        foreach (FileInfo file in files)
        {
            if (!file.Exists) throw new UsageException($"{file.FullName} is not there.");
            await using FileStream content = file.OpenRead();
            await foreach (Review review in ReviewFileReader.ReadAsync(content, file.Name, new ReviewOptions(), cancellationToken))
            {
                if (review.Error is null) texts.Add(review.Text);
                else errors++;
            }
        }
        if (errors > 0) Terminal.Say($"left out: {errors:N0} unreadable rows");
        return texts;
    }
}
