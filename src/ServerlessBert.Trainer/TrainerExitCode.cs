namespace ServerlessBert.Trainer;

/// <summary>What the training job ends with.</summary>
public static class TrainerExitCode
{
    /// <summary>The request was seen through (promoted or not), or none waited.</summary>
    public const int Done = 0;

    /// <summary>The request was given up and is in the poison queue with its reason.</summary>
    public const int Failed = 1;

    /// <summary>Wrong usage, or settings that cannot work.</summary>
    public const int Usage = 2;

    /// <summary>Stopped from outside; what was learned is kept and the request is back in the queue.</summary>
    public const int Interrupted = 3;

    /// <summary>Another request's training runs; this one is back in the queue, for later.</summary>
    public const int Busy = 4;

    /// <summary>An error that may pass, such as storage that does not answer: the queue delivers the request again.</summary>
    public const int TryAgain = 5;
}
