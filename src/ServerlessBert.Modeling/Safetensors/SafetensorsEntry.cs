using static TorchSharp.torch;

namespace ServerlessBert.Modeling;

/// <summary>One tensor of a safetensors file.</summary>
/// <param name="Name">Its key.</param>
/// <param name="Dtype">Its number type.</param>
/// <param name="Shape">Its dimensions; empty for a scalar.</param>
/// <param name="Begin">First byte, counted from the end of the header.</param>
/// <param name="End">One past its last byte.</param>
public sealed record SafetensorsEntry(string Name, ScalarType Dtype, long[] Shape, long Begin, long End);
