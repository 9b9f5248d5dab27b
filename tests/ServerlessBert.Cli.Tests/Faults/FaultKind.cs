namespace ServerlessBert.Cli.Tests.Faults;

/// <summary>What can happen to a host, a message, the storage or a file.</summary>
internal enum FaultKind
{
    /// <summary>A host gets SIGKILL, and is started again a moment later.</summary>
    KillHost,

    /// <summary>Waiting messages are sent once more.</summary>
    DeliverTwice,

    /// <summary>One message is there four times at once, so that both hosts work on it.</summary>
    DeliverToBoth,

    /// <summary>Waiting messages are deleted.</summary>
    DeleteMessages,

    /// <summary>Azurite ends, and is started again on the same folder and ports.</summary>
    StopStorage,

    /// <summary>A file is dropped again, with another content, while its run is under way.</summary>
    DropAgain,
}
