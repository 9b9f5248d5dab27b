namespace ServerlessBert.Modeling;

/// <summary>A checkpoint folder that cannot be used; the message says which file, what is wrong and what to do.</summary>
public class CheckpointException : ServerlessBertException
{
    /// <summary>Carries one clear sentence, or a list of faults.</summary>
    public CheckpointException(string message, Exception? innerException = null) : base(message, innerException) { }
}
