using System.Text.Json.Serialization;

namespace ServerlessBert.Modeling;

/// <summary>
/// How far a training has come. The order of the data, the learning rate and dropout's random numbers follow from the step
/// (<see cref="TrainingPlan"/>, <see cref="TrainingStep"/>), so that this and the tensors are all there is to keep.
/// </summary>
internal sealed record TrainingState
{
    private const int RecentSteps = 100;

    /// <summary>Optimizer steps done.</summary>
    [JsonInclude]
    public int Step { get; private set; }

    /// <summary>Reviews learned from, each as often as it was seen.</summary>
    [JsonInclude]
    public long Reviews { get; private set; }

    /// <summary>Their tokens.</summary>
    [JsonInclude]
    public long Tokens { get; private set; }

    /// <summary>Their tokens with padding.</summary>
    [JsonInclude]
    public long PaddedTokens { get; private set; }

    /// <summary>Wall time, in seconds, of all pieces of this training.</summary>
    public double Seconds { get; set; }

    /// <summary>Losses of the last hundred steps, the newest last.</summary>
    public List<double> RecentLosses { get; init; } = [];

    /// <summary>Every evaluation, in order.</summary>
    public List<EvaluatedStep> Evaluations { get; init; } = [];

    /// <summary>Mean of <see cref="RecentLosses"/>.</summary>
    [JsonIgnore]
    public double RecentLoss => RecentLosses.DefaultIfEmpty().Average();

    /// <summary>The first evaluation of the highest accuracy; null before the first.</summary>
    [JsonIgnore]
    public EvaluatedStep? Best => Evaluations.MaxBy(each => each.Metrics.Accuracy);

    /// <summary>Evaluations since the best one.</summary>
    [JsonIgnore]
    public int EvaluationsSinceBest => Best is { } best ? Evaluations.Count - 1 - Evaluations.IndexOf(best) : 0;

    /// <summary>Counts a step.</summary>
    public void Add(StepOutcome outcome)
    {
        Step++;
        Reviews += outcome.Reviews;
        Tokens += outcome.Tokens;
        PaddedTokens += outcome.PaddedTokens;
        RecentLosses.Add(outcome.Loss);
        if (RecentLosses.Count > RecentSteps) RecentLosses.RemoveAt(0);
    }
}
