using System.ComponentModel.DataAnnotations;
using ServerlessBert.Pipeline.Models;

namespace ServerlessBert.Trainer;

/// <summary>How the training job behaves, each setting with its default and the reason; section <see cref="Section"/>.</summary>
public sealed record TrainerOptions
{
    /// <summary>The configuration section's name.</summary>
    public const string Section = "ServerlessBert:Trainer";

    /// <summary>
    /// How much less accurate than the live model a candidate may be and still go live: half a point, about the noise of 1,000
    /// held-out rows' better half. A request may say another.
    /// </summary>
    [Range(0.0, 1.0)]
    public double Tolerance { get; init; } = 0.005;

    /// <summary>
    /// Where set, a candidate must also be better than the live model with at most this p-value of McNemar's exact test,
    /// such as 0.05. Not set: without thousands of held-out rows hardly any retraining would pass.
    /// </summary>
    [Range(1e-9, 1.0)]
    public double? Significance { get; init; }

    /// <summary>
    /// How often a request is taken up without any progress, which is a checkpoint: one that dies five times at the same place
    /// dies a sixth time, at a GPU's price.
    /// </summary>
    [Range(1, 1000)]
    public int MaxAttempts { get; init; } = 5;

    /// <summary>Longest training in hours, all attempts together; what was learned by then is evaluated and published.</summary>
    [Range(1e-6, 1000.0)]
    public double MaxHours { get; init; } = 6;

    /// <summary>
    /// Most optimizer steps of any request, so that a slip of a request's epochs costs no more than this; null sets no limit
    /// but <see cref="MaxHours"/>.
    /// </summary>
    [Range(1, int.MaxValue)]
    public int? MaxSteps { get; init; }

    /// <summary>auto (CUDA where there is a device), cpu or cuda.</summary>
    [AllowedValues("auto", "cpu", "cuda")]
    public string Device { get; init; } = "auto";

    /// <summary>Least held-out rows to decide on: fewer say nothing.</summary>
    [Range(1, int.MaxValue)]
    public int MinEvaluationRows { get; init; } = 20;

    /// <summary>How long a request stays invisible after the last heartbeat of the job that holds it.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan Visibility { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>
    /// Time between two checkpoints: what a killed job loses at most, against some seconds for writing 1.3 GB of bert-base's
    /// weights and moments.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan CheckpointEvery { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Steps between two checkpoints, where time alone does not say it; null leaves it to <see cref="CheckpointEvery"/>.</summary>
    [Range(1, int.MaxValue)]
    public int? CheckpointSteps { get; init; }

    /// <summary>How often the progress is written for sbert status to see.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "01:00:00")]
    public TimeSpan ReportEvery { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How long a request is put back for when another one's training runs, or when an error may pass: the scaler starts no job
    /// for it meanwhile.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "1.00:00:00")]
    public TimeSpan Pause { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>The share of this machine's memory that labelled texts may take; the rest is the model's, and the training's.</summary>
    [Range(0.01, 0.95)]
    public double DataMemoryShare { get; init; } = 0.5;

    /// <summary>
    /// The number type that weights are published in, float32 or bfloat16; the gate decides on what is published.
    /// float32, because the next training resumes from them; bfloat16 halves the download of every host that starts.
    /// </summary>
    public PublishedWeights Weights { get; init; } = PublishedWeights.Float32;

    /// <summary>
    /// How many of the newest versions are kept after a promotion, beside those that must stay (<see cref="ModelPruning"/>);
    /// null prunes none.
    /// </summary>
    [Range(0, 100_000)]
    public int? KeepVersions { get; init; }
}

/// <summary>The number type of published weights.</summary>
public enum PublishedWeights
{
    /// <summary>As they were trained.</summary>
    Float32,

    /// <summary>Rounded to half the bytes.</summary>
    BFloat16,
}
