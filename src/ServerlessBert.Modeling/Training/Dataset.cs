using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using ServerlessBert.Modeling.Tokenization;

namespace ServerlessBert.Modeling.Training;

/// <summary>A review with its known rating.</summary>
/// <param name="Text">The review.</param>
/// <param name="Label">The rating as a label from 0: stars - 1.</param>
public sealed record LabelledReview(string Text, int Label)
{
    /// <summary>What teachers make of it, a probability for each label (<see cref="Distillation"/>); null where there are none.</summary>
    public IReadOnlyList<float>? Taught { get; init; }
}

/// <summary>What must hold of rows before anything is learned from them.</summary>
internal static class Dataset
{
    /// <summary>Throws where a training cannot come to anything, saying why.</summary>
    /// <exception cref="TrainingException">No rows, one label only, a label out of range, teachers of other labels, or settings
    /// that need held-out rows without any.</exception>
    public static void Check(
        IReadOnlyList<LabelledReview> train, IReadOnlyList<LabelledReview> evaluation, int labels, TrainingOptions options)
    {
        if (train.Count == 0) throw new TrainingException("There is no labelled review to learn from.");
        if (train.Concat(evaluation).FirstOrDefault(review => review.Label < 0 || review.Label >= labels) is { } outOfRange)
            throw new TrainingException(
                $"A label is {outOfRange.Label}, but the model has labels 0 to {labels - 1} (1 to {labels} stars).");
        if (train.FirstOrDefault(review => review.Taught is { } taught && taught.Count != labels) is { } mistaught)
            throw new TrainingException(
                $"The teachers tell {mistaught.Taught!.Count} labels apart, but the model has {labels}; a teacher needs the labels "
                    + $"of what it teaches.");
        if (train.DistinctBy(review => review.Label).Count() == 1)
            throw new TrainingException(
                $"All {train.Count} reviews to learn from have {train[0].Label + 1} stars; there must be at least two ratings to "
                    + $"tell apart.");
        if (evaluation.Count == 0 && (options.EarlyStoppingPatience ?? options.EvaluateEvery) is not null)
        {
            string option = options.EarlyStoppingPatience is null ? nameof(options.EvaluateEvery) : nameof(options.EarlyStoppingPatience);
            throw new TrainingException($"{option} needs rows to measure on, and none are held out; hold some out, or leave it away.");
        }
    }
}

/// <summary>Labelled reviews as the model takes them.</summary>
/// <param name="Ids">Token ids of each review, special tokens included, [rows][tokens].</param>
/// <param name="Labels">Labels from 0, [rows].</param>
internal sealed record EncodedReviews(int[][] Ids, int[] Labels)
{
    /// <summary>What teachers make of each, [rows], null where they were not asked; null where there are no teachers.</summary>
    public IReadOnlyList<float>?[]? Taught { get; init; }

    /// <summary>How many there are.</summary>
    public int Count => Ids.Length;

    /// <summary>Tokens of each, [rows].</summary>
    public int[] Lengths { get; } = [.. Ids.Select(row => row.Length)];

    /// <summary>Tokenizes reviews, cutting them at <paramref name="maxLength"/> tokens.</summary>
    public static EncodedReviews Of(IReadOnlyList<LabelledReview> reviews, BertTokenizer tokenizer, int maxLength)
    {
        tokenizer = tokenizer.ForUntrustedText(); // as for classifying
        return new EncodedReviews(
            [.. reviews.Select(review => tokenizer.Encode(review.Text, maxLength))], [.. reviews.Select(review => review.Label)])
        {
            Taught = reviews.Any(review => review.Taught is not null) ? [.. reviews.Select(review => review.Taught)] : null,
        };
    }
}

/// <summary>A few of many rows: the tutorial's <c>shuffle(seed=42).select(range(1000))</c>.</summary>
public static class RowSubset
{
    /// <summary>
    /// Rows drawn without replacement, in the order drawn; all of them, as they are, where there are no more than <paramref
    /// name="count"/>.
    /// </summary>
    /// <param name="rows">What to draw from.</param>
    /// <param name="count">How many to draw; null takes all.</param>
    /// <param name="seed">The same seed draws the same rows (not those that Python draws with it).</param>
    public static IReadOnlyList<T> Of<T>(IReadOnlyList<T> rows, int? count, int seed)
    {
        if (count is null || rows.Count <= count) return rows;
        T[] shuffled = [.. rows];
        new Random(seed).Shuffle(shuffled);
        return shuffled[..count.Value];
    }
}

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
    /// <param name="evaluationFraction">Share to hold out, from 0 to below 1; every label with two texts or more gives at least
    /// one unless it is 0.</param>
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
            throw new TrainingException(
                FormattableString.Invariant($"The evaluation fraction is {fraction}; it must be from 0 to below 1, such as 0.1."));
    }
}
