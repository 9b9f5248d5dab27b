using ServerlessBert.Pipeline.Reviews;

namespace ServerlessBert.Cli;

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
