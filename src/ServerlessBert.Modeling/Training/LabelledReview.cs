namespace ServerlessBert.Modeling;

/// <summary>A review with its known rating.</summary>
/// <param name="Text">The review.</param>
/// <param name="Label">The rating as a label from 0: stars - 1.</param>
public sealed record LabelledReview(string Text, int Label)
{
    /// <summary>What teachers make of it, a probability for each label (<see cref="Teachers"/>); null where there are none.</summary>
    public IReadOnlyList<float>? Taught { get; init; }
}
