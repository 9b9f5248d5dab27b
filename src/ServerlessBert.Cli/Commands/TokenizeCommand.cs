using System.CommandLine;
using ServerlessBert.Cli.Input;
using ServerlessBert.Cli.Options;
using ServerlessBert.Cli.Output;
using ServerlessBert.Modeling.Tokenization;

namespace ServerlessBert.Cli.Commands;

/// <summary><c>sbert tokenize</c>: lines in, tokens and ids out.</summary>
internal static class TokenizeCommand
{
    private const int DefaultMaxLength = 512;

    public static Command Create()
    {
        var model = new Option<DirectoryInfo?>("--model", "-m") { Description = "A checkpoint folder, for its vocabulary and settings." };
        var vocabulary = new Option<FileInfo?>("--vocab") { Description = "A vocab.txt, in place of a checkpoint folder." };
        var lowercase = new Option<bool>("--lowercase") { Description = "With --vocab: lower-case and strip accents, as uncased models do." };
        Option<int?> maxLength = TypedOption.Whole(
            $"Tokens of a line at most, special tokens included ({DefaultMaxLength}).", 2, int.MaxValue, "--max-length");

        var command = new Command("tokenize", "Tokenize standard input, a JSON line for each of its lines.") { model, vocabulary, lowercase, maxLength };
        command.CannotBeCombined(model, [vocabulary]);
        command.HaveNoEffectWithout(vocabulary, lowercase);
        command.SetAction(parsed =>
        {
            BertTokenizer tokenizer = Open(parsed.GetValue(model), parsed.GetValue(vocabulary), parsed.GetValue(lowercase));
            using var output = new StreamWriter(Console.OpenStandardOutput(), bufferSize: 1 << 16);
            int length = parsed.GetValue(maxLength) ?? DefaultMaxLength;
            while (Console.In.ReadLine() is { } line)
            {
                int[] ids = tokenizer.Encode(line, length);
                output.WriteLine(Json.LineOf(new { Tokens = ids.Select(tokenizer.TokenOf), Ids = ids }));
            }
            return ExitCode.Done;
        });
        return command;
    }

    private static BertTokenizer Open(DirectoryInfo? model, FileInfo? vocabulary, bool lowercase) => (model, vocabulary) switch
    {
        ({ Exists: false } folder, null) => throw new UsageException($"there is no folder {folder.FullName}."),
        (null, { Exists: false } file) => throw new UsageException($"{file.FullName} is not there."),
        ({ } folder, null) => BertTokenizer.FromFolder(folder.FullName),
        (null, { } file) => BertTokenizer.FromVocabulary(file.FullName, new BertTokenizerOptions { LowerCase = lowercase }),
        _ => throw new UsageException("give either --model DIR or --vocab FILE."),
    };
}
