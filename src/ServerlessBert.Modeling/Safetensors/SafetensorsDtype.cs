using static TorchSharp.torch;

namespace ServerlessBert.Modeling;

/// <summary>The format's number types and torch's.</summary>
internal static class SafetensorsDtype
{
    // In the order in which the reference library lays tensors out: widest alignment first.
    private static readonly (string Name, ScalarType Type, int Bytes)[] Known =
    [
        ("I64", ScalarType.Int64, 8), ("F64", ScalarType.Float64, 8), ("F32", ScalarType.Float32, 4), ("I32", ScalarType.Int32, 4),
        ("BF16", ScalarType.BFloat16, 2), ("F16", ScalarType.Float16, 2), ("I16", ScalarType.Int16, 2),
        ("I8", ScalarType.Int8, 1), ("U8", ScalarType.Byte, 1), ("BOOL", ScalarType.Bool, 1),
    ];

    /// <summary>The type of a name, or null.</summary>
    public static ScalarType? Parse(string name) =>
        Array.FindIndex(Known, known => known.Name == name) is >= 0 and var index ? Known[index].Type : null;

    /// <summary>The format's name.</summary>
    public static string Name(ScalarType type) => Of(type).Name;

    /// <summary>Bytes of one element.</summary>
    public static int Size(ScalarType type) => Of(type).Bytes;

    /// <summary>The place in the reference library's layout.</summary>
    public static int Rank(ScalarType type) => Array.IndexOf(Known, Of(type));

    private static (string Name, ScalarType Type, int Bytes) Of(ScalarType type) =>
        Array.FindIndex(Known, known => known.Type == type) is >= 0 and var index
            ? Known[index]
            : throw new ArgumentException($"safetensors has no name for the number type {type}.", nameof(type));
}
