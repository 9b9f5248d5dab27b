namespace ServerlessBert.Modeling;

/// <summary>A safetensors file that breaks the format; the message names the fault and the file.</summary>
public sealed class SafetensorsException : CheckpointException
{
    /// <summary>Carries one sentence that names the fault.</summary>
    public SafetensorsException(string message, Exception? innerException = null) : base(message, innerException) { }
}
