using System.CommandLine;
using ServerlessBert.Cli.Demo;

namespace ServerlessBert.Cli.Commands;

/// <summary><c>sbert generate</c>: labelled reviews by a seeded grammar, for the demonstration and for trying things out.</summary>
internal static class GenerateCommand
{
    public static Command Create()
    {
        var rows = new Option<int>("--rows") { Description = "How many reviews.", DefaultValueFactory = _ => 1000 };
        var seed = new Option<int>("--seed") { Description = "The same seed writes the same reviews.", DefaultValueFactory = _ => 42 };
        var output = new Option<FileInfo>("--out", "-o") { Description = "The .jsonl file to write.", Required = true };
        rows.Validators.Add(result => { if (result.GetValueOrDefault<int>() < 1) result.AddError("--rows must be at least 1."); });

        var command = new Command("generate", "Write labelled reviews by a seeded grammar, to try things out without data.") { rows, seed, output };
        command.SetAction(parsed =>
        {
            FileInfo file = parsed.GetRequiredValue(output);
            file.Directory?.Create();
            var grammar = new ReviewGrammar(parsed.GetValue(seed));
            using (var writer = new StreamWriter(file.FullName))
            {
                for (int row = 0; row < parsed.GetValue(rows); row++)
                {
                    (string text, int stars) = grammar.Next();
                    writer.WriteLine(Json.LineOf(new { Id = $"g{row}", Stars = stars, Text = text }));
                }
            }
            Terminal.Say($"{parsed.GetValue(rows):N0} generated reviews in {file.FullName}");
            return ExitCode.Done;
        });
        return command;
    }
}
