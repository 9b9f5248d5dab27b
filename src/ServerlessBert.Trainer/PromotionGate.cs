using System.Globalization;
using System.Text.Json;
using ServerlessBert.Modeling.Evaluation;

namespace ServerlessBert.Trainer;

/// <summary>Whether a candidate goes live: gate.json beside the model says it to whoever asks later.</summary>
public sealed record PromotionGate
{
    /// <summary>The file's name in a version's folder.</summary>
    public const string FileName = "gate.json";

    private static readonly JsonSerializerOptions Readable = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    /// <summary>Whether the candidate may go live.</summary>
    public required bool Passed { get; init; }

    /// <summary>Why or why not, in a sentence.</summary>
    public required string Reason { get; init; }

    /// <summary>The candidate's accuracy on the rows that decide.</summary>
    public required double CandidateAccuracy { get; init; }

    /// <summary>The version that was live, or null.</summary>
    public string? Current { get; init; }

    /// <summary>Its accuracy on the same rows.</summary>
    public double? CurrentAccuracy { get; init; }

    /// <summary>How many rows decided.</summary>
    public required long Rows { get; init; }

    /// <summary>Whether they are the fixed evaluation set; else they were held out of the training data.</summary>
    public bool IsFixedSet { get; init; }

    /// <summary>Rows where the candidate alone is right.</summary>
    public int? Better { get; init; }

    /// <summary>Rows where the live model alone is right.</summary>
    public int? Worse { get; init; }

    /// <summary>McNemar's exact p-value of the difference, two-sided.</summary>
    public double? PValue { get; init; }

    /// <summary>Compares a candidate with the live model on the same rows.</summary>
    /// <param name="truth">The rows' labels.</param>
    /// <param name="candidate">The candidate's answers.</param>
    /// <param name="currentVersion">The live version, or null where none is.</param>
    /// <param name="current">Its answers.</param>
    /// <param name="rules">What it takes to pass.</param>
    public static PromotionGate Decide(
        IReadOnlyList<int> truth, IReadOnlyList<int> candidate, string? currentVersion, IReadOnlyList<int>? current, GateRules rules)
    {
        double accuracy = Accuracy(truth, candidate);
        var gate = new PromotionGate
        {
            Passed = true,
            Reason = "",
            CandidateAccuracy = accuracy,
            Rows = truth.Count,
            IsFixedSet = rules.IsFixedSet,
        };
        string found = Text($"accuracy {accuracy:0.000} on {truth.Count} {rules.RowsName}");
        if (currentVersion is null || current is null) return gate with { Reason = $"{found}; no model was live before" };

        double live = Accuracy(truth, current);
        McNemarTest test = McNemarTest.Of(truth, candidate, current);
        gate = gate with
        {
            Current = currentVersion,
            CurrentAccuracy = live,
            Better = test.Better,
            Worse = test.Worse,
            PValue = test.PValue,
        };
        string comparison = Text(
            $"{found}; {currentVersion} has {live:0.000} on the same rows, and at most {rules.Tolerance:0.###} less is accepted");
        if (accuracy < live - rules.Tolerance) return gate with { Passed = false, Reason = comparison };
        if (rules.Significance is not { } significance) return gate with { Reason = comparison };

        bool isSignificant = test.Better > test.Worse && test.PValue <= significance;
        string asked = Text($"{(isSignificant ? "at most" : "a better model with at most")} {significance:0.####} is asked for");
        string alone = Text($"it alone is right on {test.Better} of them and the live model alone on {test.Worse}");
        string tested = Text($"{comparison}; {alone}, p = {test.PValue:0.0000} by McNemar's test, and {asked}");
        return gate with { Passed = isSignificant, Reason = tested };
    }

    /// <summary>A candidate that could not be compared is published and does not go live by itself.</summary>
    /// <param name="truth">The rows' labels.</param>
    /// <param name="candidate">The candidate's answers.</param>
    /// <param name="currentVersion">The live version.</param>
    /// <param name="problem">Why it gave no answers, in a sentence.</param>
    public static PromotionGate WithoutComparison(
        IReadOnlyList<int> truth, IReadOnlyList<int> candidate, string currentVersion, string problem) => new()
        {
            Passed = false,
            Reason = $"it cannot be compared with {currentVersion}, which is live: {problem}",
            CandidateAccuracy = Accuracy(truth, candidate),
            Current = currentVersion,
            Rows = truth.Count,
        };

    /// <summary>Writes gate.json into a checkpoint folder.</summary>
    public void Save(string folder) => File.WriteAllText(Path.Combine(folder, FileName), JsonSerializer.Serialize(this, Readable));

    /// <summary>Reads a folder's gate.json.</summary>
    public static PromotionGate Load(string folder) =>
        JsonSerializer.Deserialize<PromotionGate>(File.ReadAllText(Path.Combine(folder, FileName)), Readable)!;

    private static double Accuracy(IReadOnlyList<int> truth, IReadOnlyList<int> answers) =>
        truth.Zip(answers).Count(row => row.First == row.Second) / (double)truth.Count;

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}

/// <summary>What it takes to pass the gate.</summary>
/// <param name="Tolerance">How much less accurate the candidate may be, 0 to 1.</param>
/// <param name="Significance">Where set, the largest p-value of McNemar's test with which the candidate must be better.</param>
/// <param name="IsFixedSet">Whether the rows are the fixed evaluation set.</param>
public sealed record GateRules(double Tolerance, double? Significance = null, bool IsFixedSet = false)
{
    /// <summary>What the rows are called.</summary>
    public string RowsName => IsFixedSet ? "rows of the evaluation set" : "held-out rows";
}
