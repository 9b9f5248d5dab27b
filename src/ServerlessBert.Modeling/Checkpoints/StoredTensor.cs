namespace ServerlessBert.Modeling;

/// <summary>Where a tensor's bytes lie.</summary>
/// <param name="Reader">The open file.</param>
/// <param name="Entry">The tensor within it, under the file's own name.</param>
internal sealed record StoredTensor(SafetensorsReader Reader, SafetensorsEntry Entry);
