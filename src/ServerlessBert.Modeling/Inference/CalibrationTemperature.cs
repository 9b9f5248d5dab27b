using System.Text.Json;

namespace ServerlessBert.Modeling.Inference;

/// <summary>
/// What inference takes of a checkpoint folder's calibration.json: the temperature that logits are divided by before the softmax, fitted on
/// held-out rows (Guo et al. 2017, arXiv:1706.04599). It changes how sure the model says it is, never its stars.
/// </summary>
/// <param name="Temperature">Above 1 makes probabilities softer.</param>
public sealed record CalibrationTemperature(double Temperature)
{
    /// <summary>The file's name.</summary>
    public const string FileName = "calibration.json";

    private static readonly JsonSerializerOptions Format = new(JsonSerializerDefaults.Web);

    /// <summary>What a folder without the file has.</summary>
    public static CalibrationTemperature None { get; } = new(1);

    /// <summary>Reads a folder's file; a missing one is <see cref="None"/>.</summary>
    /// <exception cref="CheckpointException">The file is not an object with a positive <c>temperature</c>.</exception>
    public static CalibrationTemperature Load(string folder)
    {
        string path = Path.Combine(folder, FileName);
        if (!File.Exists(path)) return None;
        try
        {
            CalibrationTemperature? read = JsonSerializer.Deserialize<CalibrationTemperature>(File.ReadAllBytes(path), Format);
            if (read is { Temperature: > 0 and < double.PositiveInfinity }) return read;
        }
        catch (JsonException exception)
        {
            throw new CheckpointException($"{path} is not JSON: {exception.Message}", exception);
        }
        throw new CheckpointException(
            $"{path} has no positive 'temperature'; delete the file to use the model without calibration, or train it again.");
    }

    /// <summary>softmax(logits / temperature), [labels].</summary>
    public float[] Probabilities(ReadOnlySpan<float> logits)
    {
        var result = new float[logits.Length];
        float greatest = float.NegativeInfinity;
        foreach (float logit in logits) greatest = Math.Max(greatest, logit);
        double sum = 0;
        for (int label = 0; label < result.Length; label++) sum += result[label] =
            (float)Math.Exp((logits[label] - greatest) / Temperature);
        for (int label = 0; label < result.Length; label++) result[label] = (float)(result[label] / sum);
        return result;
    }
}
