namespace ServerlessBert.Modeling;

/// <summary>What a report shows; what is empty or null has no section.</summary>
public sealed record ReportContent
{
    /// <summary>The model, in a few words.</summary>
    public required string Title { get; init; }

    /// <summary>A line below it: when, how long, on what.</summary>
    public required string Subtitle { get; init; }

    /// <summary>The training's steps and evaluations.</summary>
    public LoggedTraining Log { get; init; } = LoggedTraining.None;

    /// <summary>The held-out rows and what the model says of them.</summary>
    public HeldOutPredictions? HeldOut { get; init; }

    /// <summary>The step whose weights were kept, for the curves.</summary>
    public int? KeptStep { get; init; }

    /// <summary>Rows by label, of each part of the data.</summary>
    public IReadOnlyList<LabelCounts> Data { get; init; } = [];

    /// <summary>Every setting, in groups.</summary>
    public IReadOnlyList<SettingsGroup> Settings { get; init; } = [];
}

/// <summary>Held-out rows with their predictions.</summary>
/// <param name="Reviews">The rows.</param>
/// <param name="Probabilities">The model's own probabilities, [rows][labels].</param>
public sealed record HeldOutPredictions(IReadOnlyList<LabelledReview> Reviews, IReadOnlyList<float[]> Probabilities)
{
    /// <summary>The temperature that the model's confidence is calibrated with, or null.</summary>
    public double? Temperature { get; init; }

    /// <summary>The expected calibration error with that temperature, measured on rows that it was not fitted to.</summary>
    public double? CalibratedError { get; init; }

    /// <summary>The rows' labels.</summary>
    public IReadOnlyList<int> Labels { get; } = [.. Reviews.Select(review => review.Label)];
}

/// <summary>How many rows have which label.</summary>
/// <param name="Name">What rows: learned from, held out.</param>
/// <param name="Counts">Rows, by label from 0.</param>
public sealed record LabelCounts(string Name, IReadOnlyList<int> Counts)
{
    /// <summary>Counts rows.</summary>
    public static LabelCounts Of(string name, IReadOnlyCollection<LabelledReview> reviews, int labels)
    {
        var counts = new int[Math.Max(labels, reviews.Select(review => review.Label + 1).DefaultIfEmpty().Max())];
        foreach (LabelledReview review in reviews) counts[review.Label]++;
        return new LabelCounts(name, counts);
    }
}

/// <summary>Settings that belong together.</summary>
/// <param name="Name">What they are about.</param>
/// <param name="Values">Names and values.</param>
public sealed record SettingsGroup(string Name, IReadOnlyList<(string Name, string Value)> Values);
