using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace ServerlessBert.Modeling;

/// <summary>Rows to learn from and rows to measure on, each with the same share of every label.</summary>
/// <param name="Train">Rows to learn from.</param>
/// <param name="Evaluation">Rows held out.</param>
public sealed record StratifiedSplit(IReadOnlyList<LabelledReview> Train, IReadOnlyList<LabelledReview> Evaluation)
{
    /// <summary>
    /// Holds out a share of each label's distinct texts. Copies of one text stay on one side, so that nothing is
    /// measured on what was learned.
    /// </summary>
    /// <param name="reviews">Labelled rows.</param>
    /// <param name="evaluationFraction">Share to hold out, from 0 to below 1; every label with two texts or more gives at least one unless it is 0.</param>
    /// <param name="seed">The same seed gives the same split.</param>
    public static StratifiedSplit Of(IReadOnlyList<LabelledReview> reviews, double evaluationFraction, int seed)
    {
        CheckFraction(evaluationFraction);
        var random = new Random(seed);
        var heldOut = new HashSet<string>(StringComparer.Ordinal);
        foreach (var label in reviews.DistinctBy(review => review.Text).GroupBy(review => review.Label).OrderBy(group => group.Key))
        {
            string[] texts = [.. label.Select(review => review.Text)];
            random.Shuffle(texts);
            int count = evaluationFraction == 0 || texts.Length == 1 ? 0
                : Math.Clamp((int)Math.Round(texts.Length * evaluationFraction), 1, texts.Length - 1);
            heldOut.UnionWith(texts.Take(count));
        }
        return By(reviews, review => heldOut.Contains(review.Text));
    }

    /// <summary>Rows to measure on as they are given, and those to learn from without the texts that are measured on.</summary>
    /// <param name="train">Rows to learn from.</param>
    /// <param name="evaluation">Rows to measure on.</param>
    public static StratifiedSplit Given(IReadOnlyList<LabelledReview> train, IReadOnlyList<LabelledReview> evaluation)
    {
        var measured = evaluation.Select(review => review.Text).ToHashSet(StringComparer.Ordinal);
        return new StratifiedSplit([.. train.Where(review => !measured.Contains(review.Text))], evaluation);
    }

    /// <summary>
    /// Holds out the texts whose own hash falls below the fraction. A text's side does not depend on the other rows, so
    /// when data grows from one training to the next, no model is ever measured on what an earlier one learned.
    /// </summary>
    /// <param name="reviews">Labelled rows.</param>
    /// <param name="evaluationFraction">Share to hold out, on average; from 0 to below 1.</param>
    /// <param name="seed">Another seed holds out other texts.</param>
    public static StratifiedSplit ByTextHash(IReadOnlyList<LabelledReview> reviews, double evaluationFraction, int seed)
    {
        CheckFraction(evaluationFraction);
        return By(reviews, review => HashOf(review.Text, seed) < evaluationFraction);
    }

    /// <summary>At most as many rows of each side as the options say, drawn with their seed.</summary>
    public StratifiedSplit Limited(TrainingOptions options) => new(
        RowSubset.Of(Train, options.MaxRows, options.Seed), RowSubset.Of(Evaluation, options.MaxEvaluationRows, options.Seed));

    private static StratifiedSplit By(IReadOnlyList<LabelledReview> reviews, Func<LabelledReview, bool> isHeldOut)
    {
        var sides = reviews.ToLookup(isHeldOut);
        return new StratifiedSplit([.. sides[false]], [.. sides[true]]);
    }

    // Uniform over [0, 1), the same on every machine and in every version.
    private static double HashOf(string text, int seed)
    {
        byte[] digest = SHA256.HashData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{seed}\n{text}")));
        return BinaryPrimitives.ReadUInt64LittleEndian(digest) / (ulong.MaxValue + 1.0);
    }

    private static void CheckFraction(double fraction)
    {
        if (fraction is < 0 or >= 1)
            throw new TrainingException(FormattableString.Invariant($"The evaluation fraction is {fraction}; it must be from 0 to below 1, such as 0.1."));
    }
}
