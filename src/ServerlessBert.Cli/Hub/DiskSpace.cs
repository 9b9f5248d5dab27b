namespace ServerlessBert.Cli.Hub;

/// <summary>Whether what is to come fits.</summary>
internal static class DiskSpace
{
    /// <summary>Refuses to begin what cannot end.</summary>
    /// <param name="folder">Where the bytes will go; it need not exist.</param>
    /// <param name="bytes">How many.</param>
    /// <exception cref="HubException">There is less room.</exception>
    public static void Require(string folder, long bytes)
    {
        long free = new DriveInfo(OperatingSystem.IsWindows() ? Path.GetPathRoot(folder)! : Existing(folder)).AvailableFreeSpace;
        if (bytes > free)
            throw new HubException($"{folder} has room for {Megabytes(free)}, and {Megabytes(bytes)} are still to be fetched; make room, or give another folder with --out.");
    }

    // On Unix any path stands for the file system that it is on.
    private static string Existing(string folder) => Directory.Exists(folder) ? folder : Existing(Path.GetDirectoryName(folder)!);

    private static string Megabytes(long bytes) => $"{bytes / 1e6:N0} MB";
}
