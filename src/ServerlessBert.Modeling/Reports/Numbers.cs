using System.Globalization;

namespace ServerlessBert.Modeling;

/// <summary>Numbers as a report writes them: with points, whatever the machine's language.</summary>
internal static class Numbers
{
    /// <summary>57.2 %, with a space that does not break.</summary>
    public static string Percent(double share) => string.Create(CultureInfo.InvariantCulture, $"{100 * share:0.0}\u00A0%");

    /// <summary>Three decimals.</summary>
    public static string Three(double value) => value.ToString("0.000", CultureInfo.InvariantCulture);

    /// <summary>12,345.</summary>
    public static string Count(long count) => count.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>Any size in few digits: 1,250, 0.35, 5e-5.</summary>
    public static string Short(double value) => value switch
    {
        0 => "0",
        _ when Math.Abs(value) < 0.001 => value.ToString("0.##e-0", CultureInfo.InvariantCulture),
        _ when Math.Abs(value) >= 1000 => value.ToString("#,0.#", CultureInfo.InvariantCulture),
        _ => value.ToString("0.####", CultureInfo.InvariantCulture),
    };

    /// <summary>1 h 02 min, 3 min 20 s, 4.2 s.</summary>
    public static string Duration(double seconds)
    {
        TimeSpan time = TimeSpan.FromSeconds(seconds);
        return time.TotalHours >= 1 ? string.Create(CultureInfo.InvariantCulture, $"{(int)time.TotalHours} h {time.Minutes:00} min")
            : time.TotalMinutes >= 1 ? string.Create(CultureInfo.InvariantCulture, $"{time.Minutes} min {time.Seconds:00} s")
            : string.Create(CultureInfo.InvariantCulture, $"{seconds:0.0} s");
    }

    /// <summary>★★★.</summary>
    public static string Stars(int label) => string.Create(CultureInfo.InvariantCulture, $"{label + 1}★");

    /// <summary>A coordinate of a drawing.</summary>
    public static string Coordinate(double value) => value.ToString("0.##", CultureInfo.InvariantCulture);
}
