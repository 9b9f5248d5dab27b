using System.Globalization;

namespace ServerlessBert.Modeling.Onnx;

/// <summary>Values that an ONNX file keeps in files beside it: onnx.proto's external_data.</summary>
/// <param name="folder">The folder of the ONNX file; nothing outside of it is read.</param>
internal sealed class OnnxExternalData(string folder)
{
    /// <summary>Reads a tensor's values.</summary>
    /// <param name="tensor">Its name, for messages.</param>
    /// <param name="entries">location, offset and length, as the file has them.</param>
    /// <param name="expected">The bytes that its shape takes.</param>
    /// <exception cref="InvalidDataException">The values are not in the folder, or not so many.</exception>
    public ReadOnlyMemory<byte> Read(string tensor, IReadOnlyDictionary<string, string> entries, long expected)
    {
        string location = entries.GetValueOrDefault("location", "");
        string path = PathOf(location);
        if (!File.Exists(path))
            throw new InvalidDataException($"its weights are in {location}, which is not beside it; put that file into {folder}");
        long offset = Number(tensor, entries, "offset") ?? 0, length = Number(tensor, entries, "length") ?? expected;
        using FileStream file = File.OpenRead(path);
        if (length != expected || offset > file.Length - length)
            throw new InvalidDataException(
                $"tensor '{tensor}' takes {expected:N0} bytes, but {location} ({file.Length:N0} bytes) is to have {length:N0} of them "
                    + $"from byte {offset:N0}");
        byte[] bytes = new byte[length];
        file.Position = offset;
        file.ReadExactly(bytes);
        return bytes;
    }

    private string PathOf(string location)
    {
        string[] parts = location.Split('/', '\\');
        if (location.Contains(':', StringComparison.Ordinal) || parts.Any(part => part is "" or "." or ".."))
            throw new InvalidDataException($"it names the file '{location}' for its weights, which is not a path inside of its folder");
        return Path.Combine([folder, .. parts]);
    }

    private static long? Number(string tensor, IReadOnlyDictionary<string, string> entries, string key)
    {
        if (!entries.TryGetValue(key, out string? text)) return null;
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long number)
            ? number
            : throw new InvalidDataException($"tensor '{tensor}' has the {key} '{text}', which is not a number of bytes");
    }
}
