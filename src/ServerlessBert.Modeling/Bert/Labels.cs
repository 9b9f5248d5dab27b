using System.Globalization;
using System.Text.RegularExpressions;

namespace ServerlessBert.Modeling.Bert;

/// <summary>
/// What a classifier's outputs mean: the steps of a rating scale ("1 star" to "5 stars", "LABEL_0" to "LABEL_4", "1" to "4", in any
/// order), or plain classes ("sports", "NEGATIVE").
/// </summary>
public sealed partial class Labels
{
    private const int MaxSteps = 10;

    private readonly int[] order;

    private Labels(string[] names, int[] order, bool isScale) => (Names, this.order, IsScale) = (names, order, isScale);

    /// <summary>The five stars of a review.</summary>
    public static Labels Stars { get; } = Parse(new BertConfig().Id2Label);

    /// <summary>The names: of a scale from the lowest step on, of classes in the order of the model's outputs.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>Whether they are the steps of a rating scale, the first of which is one star.</summary>
    public bool IsScale { get; }

    /// <summary>Reads <c>id2label</c>.</summary>
    /// <param name="id2Label">The names by output, dense from 0.</param>
    public static Labels Parse(IReadOnlyDictionary<int, string> id2Label)
    {
        string[] names = [.. Enumerable.Range(0, id2Label.Count).Select(index => id2Label[index])];
        int[] outputs = [.. Enumerable.Range(0, names.Length)];
        int?[] steps = Array.ConvertAll(names, StepOf);
        // The scale counts from 0 or from 1, without a gap.
        int[] sorted = [.. steps.OfType<int>().Order()];
        bool isScale = names.Length is >= 2 and <= MaxSteps && sorted.Length == names.Length && sorted[0] is 0 or 1
            && sorted.Select((step, index) => step - index).All(first => first == sorted[0]);
        if (!isScale) return new Labels(names, outputs, isScale: false);
        int[] order = [.. outputs.OrderBy(output => steps[output])];
        return new Labels([.. order.Select(output => names[output])], order, isScale: true);
    }

    /// <summary>The model's outputs in the order of <see cref="Names"/>.</summary>
    /// <param name="outputs">A number for each output of the model, [labels].</param>
    public float[] InOrder(float[] outputs) => Array.ConvertAll(order, output => outputs[output]);

    private static int? StepOf(string name) =>
        Step().Match(name) is { Success: true } match ? int.Parse(match.Groups["step"].Value, CultureInfo.InvariantCulture) : null;

    [GeneratedRegex(
        @"\A\s*(LABEL_)?(?<step>[0-9]{1,2})([ _-]?stars?)?\s*\z",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex Step();
}
