namespace ServerlessBert;

/// <summary>
/// An error that a user is told as it stands: its message is one sentence that says what is wrong, where, and what to do.
/// Whatever else is thrown is a defect, or the platform's own.
/// </summary>
/// <param name="message">The sentence.</param>
/// <param name="cause">What lies behind it, for a log; or null.</param>
public abstract class ServerlessBertException(string message, Exception? cause = null) : Exception(message, cause);
