using System.Text.Json;

namespace ServerlessBert.Pipeline.Storage;

/// <summary>
/// A message that was given up on, with the reason: what this project's own code puts into a poison queue. (What the
/// Functions host moves there is the bare message.)
/// </summary>
/// <param name="Reason">Why, in a sentence.</param>
/// <param name="At">When.</param>
/// <param name="Body">The message's body as it was, to be put back by a replay.</param>
public sealed record PoisonMessage(string Reason, DateTimeOffset At, string Body)
{
    /// <summary>The message's body.</summary>
    public BinaryData ToBody() => new(JsonSerializer.SerializeToUtf8Bytes(this, PipelineJson.Of<PoisonMessage>()));

    /// <summary>Reads a poison queue's message; a bare one has no reason.</summary>
    public static (string? Reason, string Body) Read(BinaryData body)
    {
        string text = body.ToString();
        try
        {
            var poison = JsonSerializer.Deserialize(text, PipelineJson.Of<PoisonMessage>());
            return poison is { Reason: not null, Body: not null } ? (poison.Reason, poison.Body) : (null, text);
        }
        catch (JsonException)
        {
            return (null, text); // what was never JSON is shown and replayed as it is
        }
    }
}
