using Microsoft.Extensions.Configuration;

namespace ServerlessBert.Trainer;

/// <summary>How the training job behaves, each setting with its default and the reason; section <c>ServerlessBert:Trainer</c>.</summary>
public sealed record TrainerOptions
{
    /// <summary>How much less accurate than the live model a candidate may be and still go live: half a point, about the noise of 1,000 held-out rows' better half.</summary>
    public double Tolerance { get; init; } = 0.005;

    /// <summary>How often a request is tried: a job that dies thrice on one will die again, at a GPU's price.</summary>
    public int MaxAttempts { get; init; } = 3;

    /// <summary>Longest training in hours; what was learned by then is evaluated and published.</summary>
    public double MaxHours { get; init; } = 6;

    /// <summary>auto (CUDA where there is a device), cpu or cuda.</summary>
    public string Device { get; init; } = "auto";

    /// <summary>Least held-out rows to decide on: fewer say nothing.</summary>
    public int MinEvaluationRows { get; init; } = 20;

    /// <summary>How long a request stays invisible after the last sign of life of the job that holds it.</summary>
    public TimeSpan Visibility { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>Reads the section; what is not set keeps its default.</summary>
    public static TrainerOptions From(IConfiguration configuration) =>
        configuration.GetSection("ServerlessBert:Trainer").Get<TrainerOptions>() ?? new TrainerOptions();
}
