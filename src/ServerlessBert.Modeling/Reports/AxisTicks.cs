namespace ServerlessBert.Modeling;

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
