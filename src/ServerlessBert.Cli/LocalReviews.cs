using ServerlessBert.Pipeline.Reviews;
using ServerlessBert.Pipeline.Training;

namespace ServerlessBert.Cli;

/// <summary>Labelled rows of files on this machine, with one remark for each thing that was left out.</summary>
internal static class LocalReviews
{
    public static async Task<(LabelledReviews Reviews, IReadOnlyList<Modeling.TrainingSource> Sources)> LabelledAsync(IEnumerable<FileInfo> files, CancellationToken cancellationToken)
    {
        var reviews = new LabelledReviews();
        var sources = new List<Modeling.TrainingSource>();
        foreach (FileInfo file in files)
        {
            if (!file.Exists) throw new UsageException($"{file.FullName} is not there.");
            await using FileStream content = file.OpenRead();
            int rows = await reviews.AddAsync(content, file.Name, new ReviewOptions(), cancellationToken);
            sources.Add(new Modeling.TrainingSource(file.Name, null, rows));
        }
        string left = string.Join(" and ", new[] { (reviews.Unlabelled, "without a rating"), (reviews.Errors, "unreadable") }
            .Where(part => part.Item1 > 0).Select(part => $"{part.Item1:N0} {part.Item2}"));
        if (left.Length > 0) Terminal.Say($"left out: {left} rows");
        return (reviews, sources);
    }
}
