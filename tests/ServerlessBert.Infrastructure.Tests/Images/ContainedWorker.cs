using System.Diagnostics;
using System.Text.RegularExpressions;
using ServerlessBert.Functions.Tests.Worker;


namespace ServerlessBert.Infrastructure.Tests;

/// <summary>
/// The published functions as a cluster runs them: by user 1654, with the image's environment and no HOME, on a root that
/// is read-only but for a temporary folder. Namespaces of Linux do what a container engine would.
/// </summary>
public sealed class ContainedWorker(FunctionsImage image) : RunningWorker
{
    // In a mount namespace of its own: the app at $1, an empty /tmp, all else read-only; then the arguments as user 1654.
    private const string Contain = """
        set -e
        mount -t tmpfs -o mode=755 app /mnt
        mkdir /mnt/wwwroot
        mount --bind "$1" /mnt/wwwroot
        mount -o remount,bind,ro /mnt/wwwroot
        mount -o remount,ro /mnt
        mount -t tmpfs -o mode=1777 temporary /tmp
        mount -o remount,bind,ro /
        cd /mnt/wwwroot
        shift
        exec setpriv --reuid 1654 --regid 1654 --clear-groups --no-new-privs "$@"
        """;

    /// <summary>Why this machine cannot; null where it can.</summary>
    public static string? Obstacle { get; } =
        Repository.Run("id", ["-u"]).Output.Trim() != "0" ? "needs root, to mount a read-only root for the app and to become its user"
        : Repository.Run(
            "sh", ["-c", "command -v setpriv && unshare --mount sh -c 'mount -t tmpfs some /mnt && mount -o remount,bind,ro "
                + "/'"]).ExitCode != 0
            ? "needs a machine that lets a process have mounts of its own (unshare --mount)"
        : null;

    /// <summary>What Linux says of the program: a file of /proc.</summary>
    public string Proc(string file) => File.ReadAllText($"/proc/{Program.Id}/{file}");

    protected override bool IsPossible => Obstacle is null;

    protected override string Folder => "/mnt/wwwroot";

    protected override ProcessStartInfo Command(IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(
            "unshare", ["--mount", "--propagation", "private", "bash", "-c", Contain, "bash", image.Image.Layers(),
            "dotnet", Folder + "/ServerlessBert.Functions.dll", .. arguments]);
        string path = start.Environment["PATH"]!;
        start.Environment.Clear();
        start.Environment["PATH"] = path;
        start.Environment["FUNCTIONS_APPLICATION_DIRECTORY"] = Folder;
        foreach (Match variable in Regex.Matches(Dockerfile.Of(Dockerfile.Read("functions").FinalStage, "ENV").Single(), @"(\w+)=(\S+)"))
            start.Environment[variable.Groups[1].Value] = variable.Groups[2].Value;
        return start;
    }
}

/// <summary>A test of the contained worker, skipped with its reason where this machine cannot run it.</summary>
public sealed class ContainedFactAttribute : FactAttribute
{
    public ContainedFactAttribute() => Skip = ContainedWorker.Obstacle;
}
