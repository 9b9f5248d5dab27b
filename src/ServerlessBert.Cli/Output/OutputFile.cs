namespace ServerlessBert.Cli.Output;

/// <summary>
/// A file to write. What cannot be written is found before anything is computed, and a half-written one is never visible: it is written
/// beside the target and renamed at the end.
/// </summary>
internal sealed class OutputFile : IDisposable
{
    private readonly string target, partial;

    private OutputFile(string target, string partial) => (this.target, this.partial) = (target, partial);

    /// <summary>Makes its folder and writes a byte beside it.</summary>
    /// <param name="target">The file.</param>
    /// <param name="option">The option that names it, for messages.</param>
    /// <param name="inputs">Files that are read and must not be overwritten.</param>
    /// <exception cref="OutputException">It cannot be written, or is one of the inputs.</exception>
    public static OutputFile Prepare(FileInfo target, string option, params IEnumerable<FileInfo> inputs)
    {
        if (Directory.Exists(target.FullName))
            throw new OutputException($"{option} {target} is a folder; give a file in it.", isUsage: true);
        if (inputs.Any(input => Resolved(input) == Resolved(target)))
            throw new OutputException($"{option} {target} is the file that is read; give another one.", isUsage: true);
        // A device is written as it is: a rename would put a file in its place.
        bool isDevice = target.FullName.StartsWith("/dev/", StringComparison.Ordinal);
        string partial = isDevice ? target.FullName : $"{target.FullName}.{Path.GetRandomFileName()}.partial";
        try
        {
            target.Directory?.Create();
            using FileStream probe = new(partial, FileMode.OpenOrCreate, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
            probe.WriteByte((byte)'\n');
            if (!isDevice) probe.SetLength(0);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            if (!isDevice && File.Exists(partial)) File.Delete(partial);
            throw new OutputException($"{option} {target} cannot be written: {exception.Message.TrimEnd('.')}.", cause: exception);
        }
        return new OutputFile(target.FullName, partial);
    }

    /// <summary>The stream to write into, once.</summary>
    public FileStream Open() => new(partial, FileMode.OpenOrCreate, FileAccess.Write, FileShare.Read);

    /// <summary>What was written becomes the file.</summary>
    public void Commit()
    {
        if (partial != target) File.Move(partial, target, overwrite: true);
    }

    /// <summary>Removes what was not committed.</summary>
    public void Dispose()
    {
        if (partial != target) File.Delete(partial);
    }

    private static string Resolved(FileInfo file) =>
        file.Exists && file.ResolveLinkTarget(returnFinalTarget: true) is { } final ? final.FullName : file.FullName;
}

/// <summary>Something cannot be written where it was asked for.</summary>
/// <param name="message">One sentence: what, where, what to do.</param>
/// <param name="isUsage">Whether the words on the command line are wrong, and not the disk or its permissions.</param>
/// <param name="cause">What the system says.</param>
internal sealed class OutputException(string message, bool isUsage = false, Exception? cause = null)
    : ServerlessBertException(message, cause)
{
    /// <summary>What sbert ends with.</summary>
    public int ExitCode => isUsage ? Output.ExitCode.Usage : Output.ExitCode.Failed;
}
