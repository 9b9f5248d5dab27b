using System.CommandLine;
using ServerlessBert.Cli.Input;
using ServerlessBert.Cli.Options;
using ServerlessBert.Cli.Output;
using ServerlessBert.Modeling.Tokenization;

namespace ServerlessBert.Cli.Commands;

/// <summary><c>sbert tokenize</c>: texts or lines in, tokens and ids out.</summary>
internal static class TokenizeCommand
{
    private const int DefaultMaxLength = 512;

    public static Command Create()
    {
        var texts = new Argument<string[]>(
            "text")
        { Description = "Texts; without them, the lines of standard input.", Arity = ArgumentArity.ZeroOrMore };
        var model = new Option<DirectoryInfo?>("--model", "-m") { Description = "A checkpoint folder, for its vocabulary and settings." };
        var vocabulary = new Option<FileInfo?>("--vocab") { Description = "A vocab.txt, in place of a checkpoint folder." };
        var lowercase = new Option<bool>(
            "--lowercase")
        { Description = "With --vocab: lower-case and strip accents, as uncased models do." };
        Option<int?> maxLength = TypedOption.Whole(
            $"Tokens of a text at most, special tokens included ({DefaultMaxLength}).", 2, int.MaxValue, "--max-length");

        var command = new Command("tokenize", "Tokenize texts, a JSON line for each.") { texts, model, vocabulary, lowercase, maxLength };
        command.CannotBeCombined(model, [vocabulary]);
        command.HaveNoEffectWithout(vocabulary, lowercase);
        command.SetAction(parsed =>
        {
            BertTokenizer tokenizer = Open(parsed.GetValue(model), parsed.GetValue(vocabulary), parsed.GetValue(lowercase));
            int length = parsed.GetValue(maxLength) ?? DefaultMaxLength;
            using var output = new StreamWriter(StandardOutput.Open(), bufferSize: 1 << 16);
            foreach (string text in parsed.GetValue(texts) is { Length: > 0 } given ? given : LinesOfInput())
            {
                int[] ids = tokenizer.Encode(text, length);
                output.WriteLine(Json.LineOf(new { Tokens = ids.Select(tokenizer.TokenOf), Ids = ids }));
            }
            return ExitCode.Done;
        });
        return command;
    }

    private static IEnumerable<string> LinesOfInput()
    {
        TextReader input = StandardInput.OpenText("There is no text to tokenize; give it in quotes, or pipe lines in.");
        while (input.ReadLine() is { } line) yield return line;
    }

    private static BertTokenizer Open(DirectoryInfo? model, FileInfo? vocabulary, bool lowercase) => (model, vocabulary) switch
    {
        ({ } folder, null) => BertTokenizer.FromFolder(InputFile.RequireFolder(folder, "--model names a checkpoint folder").FullName),
        (null, { } file) =>
            BertTokenizer.FromVocabulary(InputFile.Require(file).FullName, new BertTokenizerOptions { LowerCase = lowercase }),
        _ => throw new UsageException("Give either --model DIR or --vocab FILE: the vocabulary to tokenize with."),
    };
}
