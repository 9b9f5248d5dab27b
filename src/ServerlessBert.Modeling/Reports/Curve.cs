namespace ServerlessBert.Modeling;

/// <summary>A line of a plot.</summary>
/// <param name="Name">What it shows.</param>
/// <param name="Style">A class of report.css: first, second, faint.</param>
/// <param name="Points">Its points from left to right; those that are no numbers are left out.</param>
/// <param name="HasMarks">Whether each point has a mark: for few points.</param>
internal sealed record Curve(string Name, string Style, IReadOnlyList<(double X, double Y)> Points, bool HasMarks = false)
{
    /// <summary>Most points that are drawn: more than these a plot's width cannot show.</summary>
    public const int MostPoints = 240;

    /// <summary>The points that are numbers.</summary>
    public IReadOnlyList<(double X, double Y)> Drawn { get; } = [.. Points.Where(point => double.IsFinite(point.X) && double.IsFinite(point.Y))];

    /// <summary>Means of neighbours, so that no more than <see cref="MostPoints"/> remain.</summary>
    public static IReadOnlyList<(double X, double Y)> Thin(IReadOnlyList<(double X, double Y)> points)
    {
        int together = (points.Count + MostPoints - 1) / MostPoints;
        return together <= 1 ? points
            : [.. points.Chunk(together).Select(chunk => (chunk.Average(point => point.X), chunk.Average(point => point.Y)))];
    }

    /// <summary>Each point as the mean of those within a fortieth of the points to either side.</summary>
    public static IReadOnlyList<(double X, double Y)> Smooth(IReadOnlyList<(double X, double Y)> points)
    {
        int reach = points.Count / 40;
        return [.. points.Select((point, i) =>
        {
            int from = Math.Max(0, i - reach), to = Math.Min(points.Count - 1, i + reach);
            return (point.X, points.Skip(from).Take(to - from + 1).Average(neighbour => neighbour.Y));
        })];
    }
}
