using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Serialization;
using ServerlessBert.Modeling.Bert;
using ServerlessBert.Modeling.Options;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling.Training.Checkpointing;

/// <summary>
/// How far a training has come. The order of the data, the learning rate and dropout's random numbers follow from the step
/// (<see cref="StepPlan"/>, <see cref="TrainingStep"/>), so that this and the tensors are all there is to keep.
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

/// <summary>A checkpoint's state.json.</summary>
internal sealed record SavedTraining
{
    /// <summary>The training that it belongs to.</summary>
    public required TrainingIdentity Identity { get; init; }

    /// <summary>Every setting, for people: <see cref="Identity"/> decides.</summary>
    public required TrainingOptions Options { get; init; }

    /// <summary>The precision; where it is chosen by a measurement, another run might choose differently.</summary>
    [JsonPropertyName("compute")]
    public required Precision Precision { get; init; }

    /// <summary>libtorch's threads, on whose number the order of some sums depends.</summary>
    public required int Threads { get; init; }

    /// <summary>The optimizer's updates.</summary>
    public required int OptimizerSteps { get; init; }

    /// <summary>How far it has come.</summary>
    public required TrainingState State { get; init; }
}

/// <summary>What makes two trainings the same one, as digests: a checkpoint of one may go on as the other only if all are equal.</summary>
/// <param name="Data">The rows to learn from and to measure on, in their order, as token ids and labels, with what teachers make
/// of them.</param>
/// <param name="Options">Every setting that changes what is learned.</param>
/// <param name="Start">The model's shape and a sample of the weights that it starts from.</param>
internal sealed record TrainingIdentity(string Data, string Options, string Start)
{
    private const int SampledBytes = 4096; // of each tensor: enough to tell two models apart, little enough to be quick

    /// <summary>The identity of a training that has not begun.</summary>
    public static TrainingIdentity Of(
        EncodedReviews train, EncodedReviews evaluation, TrainingOptions options, BertForSequenceClassification model) =>
        new(DigestOf(train, evaluation), DigestOf(options), DigestOf(model));

    /// <summary>How this one differs from another, for a sentence; null where it does not.</summary>
    public string? DifferenceFrom(TrainingIdentity other)
    {
        string[] differences =
        [
            .. Data == other.Data ? [] : new[] { "other rows" },
            .. Options == other.Options ? [] : new[] { "other options" },
            .. Start == other.Start ? [] : new[] { "another model to start from" },
        ];
        return differences.Length == 0 ? null : string.Join(" and ", differences);
    }

    private static string DigestOf(EncodedReviews train, EncodedReviews evaluation)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (EncodedReviews rows in new[] { train, evaluation })
        {
            AppendInteger(hash, rows.Count);
            foreach (var (ids, label) in rows.Ids.Zip(rows.Labels))
            {
                AppendInteger(hash, label);
                AppendInteger(hash, ids.Length);
                foreach (int id in ids) AppendInteger(hash, id);
            }
            foreach (float probability in rows.Taught?.SelectMany(taught => taught ?? []) ?? []) AppendInteger(
                hash, BitConverter.SingleToInt32Bits(probability));
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static void AppendInteger(IncrementalHash hash, int value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, value);
        hash.AppendData(bytes);
    }

    // The hours' limit and the log change nothing that is learned, so a training may go on with others.
    private static string DigestOf(TrainingOptions options) =>
        Convert.ToHexStringLower(SHA256.HashData(OptionDigest.BytesOf(options with { MaxHours = null, LogEvery = 1 })));

    private static string DigestOf(BertForSequenceClassification model)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var (name, parameter) in model.named_parameters())
        {
            hash.AppendData(Encoding.UTF8.GetBytes($"{name} {string.Join(',', parameter.shape)}\n"));
            using var scope = NewDisposeScope();
            using var noGrad = no_grad();
            Tensor sample = parameter.view(-1).narrow(0, 0, Math.Min(SampledBytes / sizeof(float), parameter.numel())).cpu().contiguous();
            hash.AppendData(sample.bytes);
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
