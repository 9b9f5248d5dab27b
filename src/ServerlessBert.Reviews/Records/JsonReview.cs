using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace ServerlessBert.Reviews.Records;

/// <summary>A review from a line of JSON Lines.</summary>
internal static class JsonReview
{
    /// <summary>The review, or its error. Properties of other names are skipped, whatever they hold.</summary>
    /// <param name="record">The line, in well-formed UTF-8.</param>
    /// <param name="invalid">How many of its characters were replaced already.</param>
    /// <param name="place">Where it stands.</param>
    /// <param name="options">Field names.</param>
    public static Review Read(ReadOnlySpan<byte> record, int invalid, RowPlace place, ReviewOptions options)
    {
        ReadOnlySpan<byte> json = JsonRepair.Repair(record, out int replaced);
        var review = new Review { Row = place.Row, InvalidUtf8 = invalid + replaced };
        try
        {
            return Parse(json, review, place, options);
        }
        catch (JsonException exception)
        {
            if (JsonRepair.TryReplaceNumbersThatAreNone(json, out byte[] repaired)) return ReadRepaired(repaired, review, place, options);
            return review with { Error = RowErrors.InvalidJson(place, Reason(exception, isAsRead: review.InvalidUtf8 == 0)) };
        }
    }

    private static Review ReadRepaired(ReadOnlySpan<byte> json, Review review, RowPlace place, ReviewOptions options)
    {
        try
        {
            return Parse(json, review, place, options);
        }
        catch (JsonException exception)
        {
            return review with { Error = RowErrors.InvalidJson(place, Reason(exception, isAsRead: false)) };
        }
    }

    private static Review Parse(ReadOnlySpan<byte> json, Review review, RowPlace place, ReviewOptions options)
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
        fields.TakeAll(ref reader, path: "");
        reader.Read();
        return fields.ToReview(review, place);
    }

    // The reader's own position is in the repaired bytes, which are the file's only where nothing was repaired.
    private static string Reason(JsonException exception, bool isAsRead)
    {
        string sentence = exception.Message.Split(" LineNumber:")[0].TrimEnd('.', ' ');
        return isAsRead ? string.Create(CultureInfo.InvariantCulture, $"at byte {exception.BytePositionInLine} of the line, {sentence}")
            : sentence;
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
        private Value _noText;
        private Value _id;
        private Value _stars;
        private Value _label;

        /// <summary>Takes the properties of an object, whose start is the reader's token, up to its end.</summary>
        public void TakeAll(ref Utf8JsonReader reader, string path)
        {
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                string name = path + reader.GetString();
                reader.Read();
                if (reader.TokenType == JsonTokenType.StartObject && LeadsOn(name)) TakeAll(ref reader, name + ".");
                else Take(name, ref reader);
            }
        }

        /// <summary>The review that the values make.</summary>
        public readonly Review ToReview(Review review, RowPlace place)
        {
            bool hasStars = !Rating.IsMissing(_stars.Text) && !(_label.Name is not null && FieldNames.IsScore(_stars.Name!));
            (int? stars, RowError? labelError) =
                hasStars ? Rating.OfStars(_stars.Text!, place, _stars.Name!)
                : _label.Text is { } text ? Rating.OfLabel(text, place, _label.Name!)
                : (null, null);
            review = review with
            {
                Id = _id.Token is JsonTokenType.String or JsonTokenType.Number && _id.Text is { Length: > 0 } id ? id : null,
                Stars = stars,
                Label = !hasStars && _label.Text is { } label ? Rating.Whole(label) : null,
                LabelError = labelError,
            };
            if (_text.Name is null && _noText.Name is { } name)
                return review with { Error = RowErrors.InvalidText(place, name, NameOf(_noText.Token)) };
            if (_text.Name is null) return review with { Error = RowErrors.MissingProperty(place, options) };
            if (string.IsNullOrWhiteSpace(_text.Text)) return review with { Error = RowErrors.EmptyText(place) };
            return review with { Text = _text.Text };
        }

        private void Take(string name, ref Utf8JsonReader reader)
        {
            if (reader.TokenType == JsonTokenType.Null) return;
            // The first accepted name that holds a string is the text: what others hold beside it is somebody else's.
            if (!(reader.TokenType == JsonTokenType.String ? TryTake(ref _text, options.TextFields, name, ref reader)
                : TryTake(ref _noText, options.TextFields, name, ref reader))
                && !TryTake(ref _id, options.IdFields, name, ref reader)
                && !TryTake(ref _stars, options.StarsFields, name, ref reader))
                TryTake(ref _label, options.LabelFields, name, ref reader);
            reader.Skip();
        }

        private readonly bool LeadsOn(string name) =>
            FieldNames.LeadsInto(options.TextFields, name) || FieldNames.LeadsInto(options.IdFields, name)
            || FieldNames.LeadsInto(options.StarsFields, name) || FieldNames.LeadsInto(options.LabelFields, name);

        private static bool TryTake(ref Value value, IReadOnlyList<string> accepted, string name, ref Utf8JsonReader reader)
        {
            if (FieldNames.RankOf(accepted, name) is not { } rank) return false;
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
    private static readonly string[] NoNumbers = ["NaN", "-Infinity", "Infinity"];

    /// <summary>
    /// The line with NULs and unpaired surrogate escapes replaced, and how many there were; the very same bytes when there
    /// were none. Writers that cut text at a number of UTF-16 units leave such escapes (<c>\ud83d"</c>).
    /// </summary>
    public static ReadOnlySpan<byte> Repair(ReadOnlySpan<byte> json, out int replaced)
    {
        replaced = json.Count((byte)0);
        if (replaced > 0) json = Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(json).Replace('\0', '\uFFFD'));
        if (json.IndexOf("\\ud"u8) < 0 && json.IndexOf("\\uD"u8) < 0) return json;

        byte[] repaired = json.ToArray();
        int unpaired = ReplaceUnpaired(repaired);
        replaced += unpaired;
        return unpaired == 0 ? json : repaired;
    }

    /// <summary>
    /// Puts null for NaN and the infinities, which Python's json module writes; false when there are none outside of strings.
    /// </summary>
    public static bool TryReplaceNumbersThatAreNone(ReadOnlySpan<byte> json, out byte[] repaired)
    {
        var written = new ArrayBufferWriter<byte>(json.Length + 16);
        bool isString = false, isReplaced = false;
        while (!json.IsEmpty)
        {
            int length = isString && json[0] == '\\' ? Math.Min(2, json.Length) : 1;
            if (json[0] == '"') isString = !isString;
            int found = isString ? 0 : LengthOfNoNumber(json);
            written.Write(found > 0 ? "null"u8 : json[..length]);
            isReplaced |= found > 0;
            json = json[Math.Max(found, length)..];
        }
        repaired = isReplaced ? written.WrittenSpan.ToArray() : [];
        return isReplaced;
    }

    private static int LengthOfNoNumber(ReadOnlySpan<byte> json)
    {
        foreach (string word in NoNumbers)
            if (json.Length >= word.Length && Ascii.Equals(json[..word.Length], word)) return word.Length;
        return 0;
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
