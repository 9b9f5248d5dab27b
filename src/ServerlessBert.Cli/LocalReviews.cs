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
        foreach (string remark in reviews.Remarks) Terminal.Say(remark);
        return (reviews, sources);
    }
}
