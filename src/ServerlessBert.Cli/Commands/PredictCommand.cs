using System.CommandLine;
using ServerlessBert.Cli.Input;
using ServerlessBert.Cli.Options;
using ServerlessBert.Cli.Output;
using ServerlessBert.Modeling.Inference;

namespace ServerlessBert.Cli.Commands;

/// <summary><c>sbert predict --model DIR "text…"</c>: one review.</summary>
internal static class PredictCommand
{
    private const int BarWidth = 40;

    public static Command Create()
    {
        var text = new Argument<string[]>(
            "text")
        { Description = "The review; without it, standard input is read.", Arity = ArgumentArity.ZeroOrMore };
        var json = new Option<bool>("--json") { Description = "One line of JSON." };
        var model = new ModelOptions();
        var command = new Command("predict", "Rate one review: stars and probabilities.") { text, json };
        model.AddTo(command);
        command.SetAction(parsed =>
        {
            model.RequireFolder(parsed);
            string review = Review(parsed.GetValue(text)!);
            using ReviewClassifier classifier = model.Load(parsed);
            Classification classification = classifier.Classify([review])[0];
            if (parsed.GetValue(json) && !classification.Labels.IsScale)
            {
                Terminal.WriteJsonLine(new
                {
                    classification.Label,
                    classification.Confidence,
                    Probabilities = classification.Labels.Names.Zip(classification.Probabilities)
                        .GroupBy(each => each.First).ToDictionary(same => same.Key, same => same.Sum(each => each.Second)),
                    Model = model.Name(parsed),
                });
            }
            else if (parsed.GetValue(json))
            {
                Terminal.WriteJsonLine(new
                {
                    classification.Stars,
                    classification.Confidence,
                    classification.ExpectedStars,
                    classification.Probabilities,
                    Model = model.Name(parsed),
                });
            }
            else
            {
                Show(classification);
            }
            return ExitCode.Done;
        });
        return command;
    }

    private static string Review(string[] words)
    {
        const string missing = "There is no text to rate; give it in quotes, or pipe it in.";
        string review = words.Length > 0 ? string.Join(' ', words) : StandardInput.OpenText(missing).ReadToEnd();
        return string.IsNullOrWhiteSpace(review) ? throw new UsageException(missing) : review;
    }

    private static void Show(Classification classification)
    {
        int labels = classification.Probabilities.Length;
        string stars = new string('★', classification.Stars) + new string('☆', Math.Max(0, labels - classification.Stars));
        bool isScale = classification.Labels.IsScale;
        Terminal.WriteLine(
            isScale ? $"{stars}  {classification.Stars} of {labels}, expected {classification.ExpectedStars:0.0}"
            : classification.ToString());
        for (int label = 0; label < labels; label++)
        {
            float probability = classification.Probabilities[label];
            Terminal.WriteLine(
                $"  {(isScale ? $"{label + 1}" : classification.Labels.Names[label])}  {probability,7:0.0 %}  "
                    + $"{new string('█', (int)Math.Round(BarWidth * probability))}");
        }
    }
}
