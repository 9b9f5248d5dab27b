using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace ServerlessBert.Reviews.Records;

/// <summary>A review from a line of JSON Lines.</summary>
internal static class JsonReview
{
    /// <summary>The review, or its error. Properties of other names are skipped, whatever they hold.</summary>
    public static Review Read(ReadOnlySpan<byte> record, RowPlace place, ReviewOptions options)
    {
        ReadOnlySpan<byte> json = JsonRepair.Repair(record, out int invalid);
        var review = new Review { Row = place.Row, InvalidUtf8 = invalid };
        try
        {
            var reader = new Utf8JsonReader(json);
            reader.Read();
            if (reader.TokenType != JsonTokenType.StartObject)
            {
                JsonTokenType found = reader.TokenType;
                reader.Skip();
                reader.Read(); // anything that follows is the error to name
                return review with { Error = RowErrors.NotAnObject(place, NameOf(found)) };
            }
            var fields = new Fields(options);
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName) fields.Take(ref reader);
            reader.Read();
            return fields.ToReview(review, place);
        }
        catch (JsonException exception)
        {
            return review with { Error = RowErrors.InvalidJson(place, Reason(exception, isAsRead: invalid == 0)) };
        }
    }

    // The reader's own position is in the repaired bytes, which are the file's only where nothing was repaired.
    private static string Reason(JsonException exception, bool isAsRead)
    {
        string sentence = exception.Message.Split(" LineNumber:")[0].TrimEnd('.', ' ');
        return isAsRead ? string.Create(CultureInfo.InvariantCulture, $"at byte {exception.BytePositionInLine} of the line, {sentence}") : sentence;
    }

    private static string NameOf(JsonTokenType token) => token switch
    {
        JsonTokenType.StartObject => "object",
        JsonTokenType.StartArray => "array",
        JsonTokenType.String => "string",
        JsonTokenType.Number => "number",
        JsonTokenType.Null => "null",
        _ => "boolean",
    };

    /// <summary>The values found so far; of several accepted names the one listed first wins, of equals the last.</summary>
    private struct Fields(ReviewOptions options)
    {
        private Value _text;
        private Value _id;
        private Value _stars;
        private Value _label;

        /// <summary>Takes a property, its name being the reader's token.</summary>
        public void Take(ref Utf8JsonReader reader)
        {
            string name = reader.GetString()!;
            reader.Read();
            if (reader.TokenType != JsonTokenType.Null
                && !TryTake(ref _text, options.TextFields, name, ref reader)
                && !TryTake(ref _id, options.IdFields, name, ref reader)
                && !TryTake(ref _stars, options.StarsFields, name, ref reader))
                TryTake(ref _label, options.LabelFields, name, ref reader);
            reader.Skip();
        }

        /// <summary>The review that the values make.</summary>
        public readonly Review ToReview(Review review, RowPlace place)
        {
            (int? stars, RowError? labelError) =
                !string.IsNullOrWhiteSpace(_stars.Text) ? Rating.OfStars(_stars.Text, place, _stars.Name!)
                : !string.IsNullOrWhiteSpace(_label.Text) ? Rating.OfLabel(_label.Text, place, _label.Name!)
                : (null, null);
            review = review with
            {
                Id = _id.Token is JsonTokenType.String or JsonTokenType.Number && _id.Text is { Length: > 0 } id ? id : null,
                Stars = stars,
                Label = string.IsNullOrWhiteSpace(_stars.Text) && _label.Text is { } label ? Rating.Whole(label) : null,
                LabelError = labelError,
            };
            if (_text.Name is null) return review with { Error = RowErrors.MissingProperty(place, options) };
            if (_text.Token != JsonTokenType.String) return review with { Error = RowErrors.InvalidText(place, _text.Name, NameOf(_text.Token)) };
            if (string.IsNullOrWhiteSpace(_text.Text)) return review with { Error = RowErrors.EmptyText(place) };
            return review with { Text = _text.Text };
        }

        private static bool TryTake(ref Value value, IReadOnlyList<string> accepted, string name, ref Utf8JsonReader reader)
        {
            int rank = 0;
            while (rank < accepted.Count && !accepted[rank].Equals(name, StringComparison.OrdinalIgnoreCase)) rank++;
            if (rank == accepted.Count) return false;
            if (value.Name is not null && value.Rank < rank) return true;
            value = new Value(name, rank, reader.TokenType, TextOf(ref reader));
            return true;
        }

        // A number stays as it is written: an id of 20 digits must not pass through a double.
        private static string TextOf(ref Utf8JsonReader reader) => reader.TokenType switch
        {
            JsonTokenType.String => reader.GetString()!,
            JsonTokenType.StartObject or JsonTokenType.StartArray => NameOf(reader.TokenType),
            _ => Encoding.UTF8.GetString(reader.ValueSpan),
        };
    }

    private readonly record struct Value(string? Name, int Rank, JsonTokenType Token, string? Text);
}

/// <summary>Makes a line readable for a strict JSON reader without losing it: damaged characters become U+FFFD.</summary>
internal static class JsonRepair
{
    /// <summary>
    /// The line with malformed UTF-8 and unpaired surrogate escapes replaced, and how many there were; the very same
    /// bytes when there were none. Writers that cut text at a number of UTF-16 units leave such escapes (<c>\ud83d"</c>).
    /// </summary>
    public static ReadOnlySpan<byte> Repair(ReadOnlySpan<byte> json, out int replaced)
    {
        replaced = 0;
        if (!Utf8.IsValid(json)) json = Encoding.UTF8.GetBytes(Utf8Text.Decode(json, out replaced));
        if (json.IndexOf("\\ud"u8) < 0 && json.IndexOf("\\uD"u8) < 0) return json;

        byte[] repaired = json.ToArray();
        int unpaired = ReplaceUnpaired(repaired);
        replaced += unpaired;
        return unpaired == 0 ? json : repaired;
    }

    // Replaces in place: \ufffd is as long as the escape it stands for.
    private static int ReplaceUnpaired(Span<byte> json)
    {
        int replaced = 0;
        int at = 0;
        while (json[at..].IndexOf((byte)'\\') is var step and >= 0)
        {
            at += step;
            if (UnitAt(json, at) is not { } unit)
            {
                at = Math.Min(at + 2, json.Length); // a short escape, an escaped backslash among them
                continue;
            }
            bool isPair = char.IsHighSurrogate(unit) && UnitAt(json, at + 6) is { } next && char.IsLowSurrogate(next);
            if (char.IsSurrogate(unit) && !isPair)
            {
                "\\ufffd"u8.CopyTo(json[at..]);
                replaced++;
            }
            at += isPair ? 12 : 6;
        }
        return replaced;
    }

    /// <summary>The UTF-16 unit that an escape at this place writes, or null.</summary>
    private static char? UnitAt(ReadOnlySpan<byte> json, int at) =>
        json.Length >= at + 6 && json[at] == '\\' && json[at + 1] == 'u'
        && ushort.TryParse(json.Slice(at + 2, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ushort unit)
            ? (char)unit
            : null;
}
