using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Json;
using ServerlessBert.Reviews;

namespace ServerlessBert.Functions.Http;

/// <summary>The reviews of one request to <see cref="Predict"/>.</summary>
/// <param name="Reviews">In the request's order, at least one.</param>
/// <param name="IsArray">Whether they came as an array, and so are answered.</param>
internal sealed record PredictRequest(IReadOnlyList<Review> Reviews, bool IsArray)
{
    /// <summary>
    /// Reads <c>{"text":"…","id":"…"}</c> or an array of such objects and of plain strings; invalid UTF-8 becomes U+FFFD.
    /// </summary>
    public static bool TryParse(
        ReadOnlySpan<byte> body, PredictLimits limits, [NotNullWhen(true)] out PredictRequest? request,
            [NotNullWhen(false)] out RowError? error)
    {
        request = null;
        try
        {
            using JsonDocument document = JsonDocument.Parse(Encoding.UTF8.GetString(body).TrimStart('\uFEFF'));
            JsonElement root = document.RootElement;
            bool isArray = root.ValueKind == JsonValueKind.Array;
            error = isArray ? CheckCount(root.GetArrayLength(), limits) : null;
            if (error is not null) return false;

            var reviews = new List<Review>();
            foreach (JsonElement element in isArray ? root.EnumerateArray() : Enumerable.Repeat(root, 1))
            {
                if (!TryReadReview(element, reviews.Count, isArray, out Review? review, out error)) return false;
                reviews.Add(review);
            }
            request = new PredictRequest(reviews, isArray);
            return true;
        }
        catch (JsonException exception)
        {
            error = new RowError(
                "invalid_json", $"The body is not JSON (line {exception.LineNumber + 1}, byte {exception.BytePositionInLine + 1}); "
                    + $"send {{\"text\":\"…\"}} or an array of such objects.");
            return false;
        }
    }

    private static RowError? CheckCount(int count, PredictLimits limits) =>
        count == 0 ? new RowError("no_reviews", "The array is empty; send at least one review.")
        : count > limits.MaxReviews
            ? new RowError("too_many_reviews",
            $"The array holds {count} reviews, and at most {limits.MaxReviews} are answered at once; send fewer, or drop a file.")
        : null;

    private static bool TryReadReview(
        JsonElement element, int row, bool isArray, [NotNullWhen(true)] out Review? review, [NotNullWhen(false)] out RowError? error)
    {
        string where = isArray ? $"Review {row}" : "The body";
        review = null;
        JsonElement text = element;
        if (element.ValueKind == JsonValueKind.Object && !element.TryGetProperty("text", out text))
        {
            error = new RowError("missing_text", $"{where} has no \"text\"; send {{\"text\":\"…\"}}.");
            return false;
        }
        if (text.ValueKind != JsonValueKind.String || (!isArray && element.ValueKind != JsonValueKind.Object))
        {
            error = new RowError(
                "invalid_review", $"{where} is no review; send {{\"text\":\"…\"}} with a string, or an array of them or of strings.");
            return false;
        }
        if (!TryGetString(text, out string? value) || !TryGetId(element, out string? id))
        {
            error = new RowError(
                "invalid_text", $"{where} holds an escape sequence that is half a character, or an id that is neither a string nor "
                    + $"a number; correct it.");
            return false;
        }
        if (string.IsNullOrWhiteSpace(value))
        {
            error = new RowError("missing_text", $"{where} has an empty \"text\"; send the review's words.");
            return false;
        }
        review = new Review { Row = row, Id = id, Text = value };
        error = null;
        return true;
    }

    private static bool TryGetId(JsonElement element, out string? id)
    {
        id = null;
        if (element.ValueKind != JsonValueKind.Object || !element.TryGetProperty("id", out JsonElement property)) return true;
        if (property.ValueKind == JsonValueKind.Number) id = property.GetRawText();
        return property.ValueKind is JsonValueKind.Null or JsonValueKind.Number || TryGetString(property, out id);
    }

    /// <summary>
    /// False for what is no string, and for one with a lone surrogate such as <c>"\ud800"</c>, which JSON's grammar allows.
    /// </summary>
    private static bool TryGetString(JsonElement element, [NotNullWhen(true)] out string? value)
    {
        value = null;
        if (element.ValueKind != JsonValueKind.String) return false;
        try
        {
            value = element.GetString()!;
            return true;
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }
}

/// <summary>What one request to <see cref="Predict"/> may ask for; more than this is a file's business.</summary>
public sealed record PredictLimits
{
    /// <summary>Longest body in bytes.</summary>
    public int MaxBodyBytes { get; init; } = 1024 * 1024;

    /// <summary>Most reviews: as many as a batch of a file, some seconds of work on one core.</summary>
    public int MaxReviews { get; init; } = 128;
}
