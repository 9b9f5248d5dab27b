using ServerlessBert.Benchmarks.Results;

namespace ServerlessBert.Benchmarks.Training;

/// <summary>The steps of one way to train.</summary>
/// <param name="way">The way, for people.</param>
internal sealed class TrainingTime(string way)
{
    private string Way { get; } = way;

    private readonly List<(long Tokens, double Seconds, double OptimizerSeconds)> steps = [];

    /// <summary>Tokens a second, without padding.</summary>
    public double TokensPerSecond => steps.Sum(step => step.Tokens) / steps.Sum(step => step.Seconds);

    /// <summary>A step's median time for zeroing, clipping and updating, in milliseconds.</summary>
    public double OptimizerMilliseconds => steps.Select(step => step.OptimizerSeconds).Order().ElementAt(steps.Count / 2) * 1000;

    /// <summary>Counts a step.</summary>
    public void Add((long Tokens, double Seconds, double OptimizerSeconds) step) => steps.Add(step);

    /// <summary>Ways as rows, each with the first one's speed over its own.</summary>
    public static ResultTable Table(string heading, IReadOnlyList<TrainingTime> times) => new(
        [heading, "tokens/s", "the first's tokens/s over it", "s a step", "optimizer, ms a step"],
        [.. times.Select(time => (IReadOnlyList<string>)
        [
            time.Way, ResultTable.Number(time.TokensPerSecond), ResultTable.Number(times[0].TokensPerSecond / time.TokensPerSecond),
            ResultTable.Number(time.steps.Average(step => step.Seconds)), ResultTable.Number(time.OptimizerMilliseconds),
        ])]);
}
