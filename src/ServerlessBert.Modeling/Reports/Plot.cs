using System.Xml.Linq;
using static ServerlessBert.Modeling.Reports.Numbers;

namespace ServerlessBert.Modeling.Reports;

/// <summary>
/// Curves over axes as inline SVG. It names classes and no colours, so that the page's style sheet draws it by day, by night
/// and on paper; its type is large enough to be read when a phone shrinks it.
/// </summary>
internal sealed record LinePlot
{
    private const double Width = 400, Height = 250, Left = 52, Right = 28, Top = 12, Bottom = 44;

    /// <summary>What it shows: its accessible name.</summary>
    public required string Title { get; init; }

    /// <summary>What runs to the right.</summary>
    public required string Horizontal { get; init; }

    /// <summary>Its curves; at least one point in all.</summary>
    public required IReadOnlyList<Curve> Curves { get; init; }

    /// <summary>The vertical range, or null for that of the points.</summary>
    public (double Low, double High)? Range { get; init; }

    /// <summary>The horizontal range; not empty.</summary>
    public required (double Low, double High) Across { get; init; }

    /// <summary>Lines behind the curves, from point to point.</summary>
    public IReadOnlyList<((double X, double Y) From, (double X, double Y) To)> Guides { get; init; } = [];

    /// <summary>How a vertical tick is written.</summary>
    public Func<double, string> Format { get; init; } = Short;

    /// <summary>The plot with its title and what its curves are.</summary>
    public XElement Draw() => Markup.Of("figure",
        Markup.Of("figcaption", Markup.Of("strong", Title),
            Curves.Count < 2 ? null
                : Markup.Of("span", ("class", "legend"),
                Curves.Select(curve => Markup.Of("span", ("class", $"key {curve.Style}"), curve.Name)))),
        Svg());

    private XElement Svg()
    {
        (double X, double Y)[] points = [.. Curves.SelectMany(curve => curve.Drawn)];
        IReadOnlyList<double> up = Ticks(Range, points.Select(point => point.Y));
        (double first, double last) = Across;
        double X(double value) => Left + (value - first) / (last - first) * (Width - Left - Right);
        double Y(double value) => Height - Bottom - (value - up[0]) / (up[^1] - up[0]) * (Height - Top - Bottom);

        return Markup.Of("svg", ("viewBox", $"0 0 {Width} {Height}"), ("role", "img"), ("aria-label", Title),
            up.Select(tick => Line("grid", (Left, Y(tick)), (Width - Right, Y(tick)))),
            up.Select(tick => Text(Left - 8, Y(tick) + 5, "end", Format(tick))),
            AxisTicks.Of(first, last).Where(tick => tick >= first && tick <= last)
                .Select(tick => Text(X(tick), Height - Bottom + 20, "middle", Short(tick))),
            Text((Left + Width - Right) / 2, Height - 4, "middle", Horizontal),
            Guides.Select(guide => Line("guide", (X(guide.From.X), Y(guide.From.Y)), (X(guide.To.X), Y(guide.To.Y)))),
            Curves.Where(curve => curve.Drawn.Count > 0).Select(curve => Markup.Of("polyline", ("class", curve.Style),
                ("points", string.Join(' ', curve.Drawn.Select(point => $"{Coordinate(X(point.X))},{Coordinate(Y(point.Y))}"))))),
            Curves.Where(curve => curve.HasMarks || curve.Drawn.Count == 1).SelectMany(curve => curve.Drawn.Select(point =>
                Markup.Of("circle", ("class", curve.Style), ("cx", Coordinate(X(point.X))), ("cy", Coordinate(Y(point.Y))), ("r", "4")))));
    }

    private static IReadOnlyList<double> Ticks((double Low, double High)? range, IEnumerable<double> values)
    {
        double[] all = [.. values];
        return range is { } given ? AxisTicks.Of(given.Low, given.High)
            : AxisTicks.Of(all.DefaultIfEmpty().Min(), all.DefaultIfEmpty().Max());
    }

    private static XElement Line(string style, (double X, double Y) from, (double X, double Y) to) => Markup.Of("line", ("class", style),
        ("x1", Coordinate(from.X)), ("y1", Coordinate(from.Y)), ("x2", Coordinate(to.X)), ("y2", Coordinate(to.Y)));

    private static XElement Text(double x, double y, string anchor, string text) =>
        Markup.Of("text", ("x", Coordinate(x)), ("y", Coordinate(y)), ("text-anchor", anchor), text);
}

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
    public IReadOnlyList<(double X, double Y)> Drawn { get; } =
        [.. Points.Where(point => double.IsFinite(point.X) && double.IsFinite(point.Y))];

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

/// <summary>Round numbers along an axis.</summary>
internal static class AxisTicks
{
    /// <summary>Multiples of 1, 2 or 5 times a power of ten that hold a range between them.</summary>
    /// <param name="low">The range's lower end.</param>
    /// <param name="high">Its upper end; an empty range is widened by half of its value, or from 0 to 1.</param>
    /// <param name="about">About how many steps are wanted.</param>
    /// <returns>At least two ticks; the first is at or below the range, the last at or above it.</returns>
    public static IReadOnlyList<double> Of(double low, double high, int about = 4)
    {
        if (!(high > low)) (low, high) = low == 0 ? (0, 1) : (low - Math.Abs(low) / 2, low + Math.Abs(low) / 2);
        double rough = (high - low) / about;
        double power = Math.Pow(10, Math.Floor(Math.Log10(rough)));
        double step = power * (rough / power) switch { < 1.5 => 1, < 3.5 => 2, < 7.5 => 5, _ => 10 };
        long first = (long)Math.Floor(low / step + 1e-9), last = (long)Math.Ceiling(high / step - 1e-9);
        return [.. Enumerable.Range(0, (int)(last - first) + 1).Select(i => (first + i) * step)];
    }
}
