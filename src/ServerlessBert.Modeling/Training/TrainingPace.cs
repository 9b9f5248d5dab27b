namespace ServerlessBert.Modeling.Training;

/// <summary>
/// What a person wants to know of a training's last steps: one step's own loss says little, and neither does a pace that
/// counts pauses of long ago.
/// </summary>
public sealed class TrainingPace
{
    private const int Window = 50;

    private readonly Queue<TrainingProgress> recent = [];
    private TrainingProgress? last;

    /// <summary>Takes a step in; one that is not after the last is another training's, whose pace is its own.</summary>
    public void Add(TrainingProgress step)
    {
        if (step.Step <= last?.Step) recent.Clear();
        recent.Enqueue(last = step);
        if (recent.Count > Window) recent.Dequeue();
    }

    /// <summary>Mean loss of the last steps, in nats.</summary>
    public double Loss => recent.Select(step => step.Loss).DefaultIfEmpty().Average();

    /// <summary>Reviews a second over the last steps; of the first step, since the start.</summary>
    public double ReviewsPerSecond => last is null ? 0 : (last.Reviews - From.Reviews) / Seconds;

    /// <summary>The time that the steps left take at the pace of the last ones, evaluations among them.</summary>
    public TimeSpan Left =>
        last is null ? TimeSpan.Zero : TimeSpan.FromSeconds(Seconds / (last.Step - From.Step) * (last.TotalSteps - last.Step));

    private (int Step, long Reviews, TimeSpan Elapsed) From =>
        recent.Count > 1 && recent.Peek() is var first ? (first.Step, first.Reviews, first.Elapsed) : (last!.Step - 1, 0, TimeSpan.Zero);

    private double Seconds => Math.Max(1e-9, (last!.Elapsed - From.Elapsed).TotalSeconds);
}
