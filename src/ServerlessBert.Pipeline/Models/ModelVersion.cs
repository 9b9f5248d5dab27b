using System.Globalization;
using System.Text.RegularExpressions;

namespace ServerlessBert.Pipeline.Models;

/// <summary>
/// A version's name: when it was published and the start of its weights' SHA-256, as in
/// <c>20261122T101500Z-3fa9c1</c>. Names sort by time, and say at a look whether two versions have the same weights.
/// </summary>
public static partial class ModelVersion
{
    private const int HashDigits = 6;

    /// <summary>The name of a version.</summary>
    /// <param name="created">When it was made; to the second.</param>
    /// <param name="weightsSha256">The SHA-256 of model.safetensors, lower-case hexadecimal.</param>
    public static string Name(DateTimeOffset created, string weightsSha256) =>
        created.UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture) + "-" + weightsSha256[..HashDigits];

    /// <summary>Whether it has the form of a version's name; nothing else may become part of a path.</summary>
    public static bool IsValid(string? name) => name is not null && Form().IsMatch(name);

    /// <summary>The name, after a check of its form.</summary>
    /// <exception cref="ModelUnavailableException">It has another form.</exception>
    public static string Checked(string? name) => IsValid(name)
        ? name!
        : throw new ModelUnavailableException($"\"{name}\" is not the name of a model version, which looks like 20261122T101500Z-3fa9c1; list them with: sbert models list");

    [GeneratedRegex(@"\A[0-9]{8}T[0-9]{6}Z-[0-9a-f]{6}\z")]
    private static partial Regex Form();
}
