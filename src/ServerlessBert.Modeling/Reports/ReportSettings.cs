using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace ServerlessBert.Modeling;

/// <summary>Records as groups of settings, named as in training.json.</summary>
public static class ReportSettings
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) } };

    /// <summary>Every property of a record; what is null is shown as not set, objects are left out.</summary>
    public static SettingsGroup Of<T>(string name, T record) => new(name,
    [
        .. JsonSerializer.SerializeToElement(record, Json).EnumerateObject()
            .Where(property => property.Value.ValueKind != JsonValueKind.Object)
            .Select(property => (property.Name, Text(property.Value))),
    ]);

    private static string Text(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null => "not set",
        JsonValueKind.Array => string.Join(", ", value.EnumerateArray().Select(Text)),
        JsonValueKind.Number => value.GetDouble() is var number && Math.Abs(number) is > 0 and < 0.001 ? Numbers.Short(number) : value.GetRawText(),
        JsonValueKind.True => "yes",
        JsonValueKind.False => "no",
        _ => value.ToString(),
    };

    /// <summary>How a training went, of what, and where.</summary>
    internal static SettingsGroup Of(TrainingRecord record) => new("Run",
    [
        ("base", record.Base),
        ("parent", record.Parent ?? "none"),
        ("device", record.Device),
        ("started", Time(record.Started)),
        ("finished", Time(record.Finished)),
        ("end", record.Result.End.ToString()),
        ("steps", Numbers.Count(record.Result.Steps)),
        ("keptStep", Numbers.Count(record.Result.KeptStep)),
        ("finalLoss", Numbers.Three(record.Result.FinalLoss)),
        ("time", Numbers.Duration(record.Result.Seconds)),
        ("reviewsPerSecond", Numbers.Short(Math.Round(record.Result.ReviewsPerSecond, 1))),
        ("tokensPerSecond", Numbers.Count((long)record.Result.TokensPerSecond)),
        ("paddingShare", Numbers.Percent(record.Result.PaddingShare)),
    ]);

    private static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture);
}
