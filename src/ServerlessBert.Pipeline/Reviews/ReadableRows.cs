namespace ServerlessBert.Pipeline.Reviews;

/// <summary>The rows of a batch that have a text to classify; the others keep their place with their error.</summary>
/// <param name="rows">All rows, in order.</param>
public sealed class ReadableRows(IReadOnlyList<Review> rows)
{
    /// <summary>The texts, in order.</summary>
    public IReadOnlyList<string> Texts { get; } = [.. rows.Where(row => row.Error is null).Select(row => row.Text)];

    /// <summary>Puts what was found for <see cref="Texts"/> at its rows' places: as many as there are rows, null where a row has an error.</summary>
    /// <param name="found">One a text, in order.</param>
    /// <exception cref="ArgumentException">There are not as many as there are texts.</exception>
    public T?[] Align<T>(IReadOnlyList<T> found) where T : class
    {
        if (found.Count != Texts.Count) throw new ArgumentException($"{found.Count} answers do not belong to {Texts.Count} texts.", nameof(found));
        int next = 0;
        return [.. rows.Select(row => row.Error is null ? found[next++] : null)];
    }
}
