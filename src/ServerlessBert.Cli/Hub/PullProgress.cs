using Spectre.Console;

namespace ServerlessBert.Cli.Hub;

/// <summary>Shows a pull on standard error: a bar a file where a person watches, else a line.</summary>
internal static class PullProgress
{
    /// <summary>A remark, which a bar that is drawn meanwhile makes room for.</summary>
    public static void Say(string remark)
    {
        if (Terminal.IsWatched) Terminal.Remarks.WriteLine(remark);
        else Terminal.Say(remark);
    }

    /// <summary>Fetches what is missing, and shows it.</summary>
    public static Task<PulledModel> FetchAsync(ModelPull pull, CancellationToken cancellationToken) =>
        Terminal.IsWatched && pull.Missing.Count > 0 ? WithBarsAsync(pull, cancellationToken) : pull.FetchAsync(WithLine, cancellationToken);

    private static Action<long> WithLine(HubFile file)
    {
        Terminal.Say($"fetching {file.Name}{(file.Size is { } size ? $" ({size:N0} bytes)" : "")}");
        return _ => { };
    }

    private static Task<PulledModel> WithBarsAsync(ModelPull pull, CancellationToken cancellationToken) => Terminal.Remarks.Progress()
        .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new DownloadedColumn(), new TransferSpeedColumn(), new RemainingTimeColumn())
        .StartAsync(context =>
        {
            // All at once: what is still to come is seen from the start.
            Dictionary<HubFile, ProgressTask> tasks = pull.Missing.ToDictionary(file => file, file => context.AddTask(Markup.Escape(file.Name), autoStart: false, maxValue: Math.Max(1, file.Size ?? 1)));
            return pull.FetchAsync(file =>
            {
                ProgressTask task = tasks[file];
                task.IsIndeterminate = file.Size is null;
                task.StartTask();
                return bytes => task.Value = bytes;
            }, cancellationToken);
        });
}
