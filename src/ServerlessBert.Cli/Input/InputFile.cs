using ServerlessBert.Pipeline.Settings;
using ServerlessBert.LocalHost;
using ServerlessBert.Pipeline.Operations;
using ServerlessBert.Reviews;

namespace ServerlessBert.Cli.Input;

/// <summary>Files and folders that a verb reads, looked at before it begins.</summary>
internal static class InputFile
{
    /// <summary>The file, which exists.</summary>
    /// <exception cref="UsageException">It does not, or is a folder.</exception>
    public static FileInfo Require(FileInfo file)
    {
        if (Directory.Exists(file.FullName)) throw new UsageException($"{file} is a folder; give a file.");
        return file.Exists ? file : throw new UsageException($"File not found: {file}; check the name, and the folder that you are in.");
    }

    /// <summary>The folder, which exists.</summary>
    /// <param name="folder">A path.</param>
    /// <param name="purpose">What it must be, such as "--model names a checkpoint folder".</param>
    /// <exception cref="UsageException">It does not, or is a file.</exception>
    public static DirectoryInfo RequireFolder(DirectoryInfo folder, string purpose)
    {
        if (File.Exists(folder.FullName)) throw new UsageException($"{folder} is a file; {purpose}.");
        return folder.Exists ? folder : throw new UsageException($"Folder not found: {folder}; {purpose}.");
    }

    /// <summary>Reads a file; an error that does not name it is given its name.</summary>
    public static async Task<T> ReadAsync<T>(string name, Func<Task<T>> read)
    {
        try
        {
            return await read();
        }
        catch (Exception exception) when (
            exception is ReviewFileException or InvalidDataException or IOException and not Output.OutputClosedException
            && !exception.Message.Contains(name, StringComparison.Ordinal))
        {
            throw new InvalidDataException($"{name}: {exception.Message}", exception);
        }
    }
}

/// <summary>How review files are read here: as the functions read them, by the same settings.</summary>
internal static class ReviewSettings
{
    /// <summary>Reads <c>ServerlessBert__Reviews__…</c>.</summary>
    /// <exception cref="UsageException">A setting cannot be read.</exception>
    public static ReviewOptions Load()
    {
        try
        {
            return SettingsSection.Read<ReviewOptions>(HostSettings.Load(), ReviewPipelineServices.ReviewSection);
        }
        catch (SettingsException exception)
        {
            throw new UsageException(exception.Message);
        }
    }
}
