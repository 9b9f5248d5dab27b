namespace ServerlessBert.Trainer;

/// <summary>What the training job ends with.</summary>
public static class TrainerExitCode
{
    /// <summary>The request was seen through (promoted or not), or none waited.</summary>
    public const int Done = 0;

    /// <summary>The request failed and is in the poison queue with its reason, or an error will make the queue deliver it again.</summary>
    public const int Failed = 1;

    /// <summary>Wrong usage, or settings that cannot work.</summary>
    public const int Usage = 2;

    /// <summary>Stopped from outside; the request is back in the queue.</summary>
    public const int Interrupted = 3;
}
