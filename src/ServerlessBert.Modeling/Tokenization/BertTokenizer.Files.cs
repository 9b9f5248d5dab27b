using System.Buffers;
using System.Text;
using Microsoft.ML.Tokenizers;

namespace ServerlessBert.Modeling.Tokenization;

public sealed partial class BertTokenizer
{
    /// <summary>Loads vocab.txt and tokenizer_config.json of a checkpoint folder, or tokenizer.json where there is no vocab.txt.</summary>
    /// <exception cref="FileNotFoundException">The folder has neither vocabulary.</exception>
    /// <exception cref="InvalidDataException">A file is broken, describes another kind of tokenizer, or lacks a special token.</exception>
    /// <exception cref="PlatformNotSupportedException">Accents are to be stripped in globalization-invariant mode, which
    /// cannot.</exception>
    public static BertTokenizer FromFolder(string folder)
    {
        string lines = Path.Combine(folder, VocabularyFile.Name);
        string whole = Path.Combine(folder, TokenizerJson.Name);
        bool hasLines = File.Exists(lines);
        if (!hasLines && !File.Exists(whole))
            throw new FileNotFoundException(
                $"The folder {folder} has neither {VocabularyFile.Name} nor {TokenizerJson.Name}; take them from the checkpoint.", lines);
        if (!hasLines)
        {
            TokenizerJson read = TokenizerJson.Read(whole);
            return new BertTokenizer(
                AddedTokenFiles.AddTo(read.Vocabulary, folder), BertTokenizerOptions.Load(folder, read.Options), whole);
        }
        var vocabulary = new Vocabulary(VocabularyFile.Read(lines));
        return new BertTokenizer(AddedTokenFiles.AddTo(vocabulary, folder), BertTokenizerOptions.Load(folder), lines);
    }

    /// <summary>Loads a vocab.txt: a token a line, its id the line's number from 0.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">The file is broken or lacks a special token.</exception>
    public static BertTokenizer FromVocabulary(string path, BertTokenizerOptions options) =>
        new(new Vocabulary(VocabularyFile.Read(path)), options, path);

    /// <summary>Takes the tokens by id, as <see cref="WordPieceTrainer"/> gives them.</summary>
    /// <exception cref="InvalidDataException">A special token is missing, or a token is not valid Unicode or spans lines.</exception>
    public static BertTokenizer FromVocabulary(IReadOnlyList<string> tokens, BertTokenizerOptions options) =>
        new(new Vocabulary([.. tokens]), options, "The vocabulary");

    /// <summary>Writes vocab.txt and tokenizer_config.json as Hugging Face reads them; the folder is made where it is missing.</summary>
    public void Save(string folder)
    {
        bool hasOwnTokens = added.Any(token => !IsControl(token.Id) || token != AddedToken.Special(token.Id, token.Content));
        Options.Save(folder, hasOwnTokens ? added : []);
        VocabularyFile.Write(Path.Combine(folder, VocabularyFile.Name), Tokens[..vocabulary.WordPieces]);
    }

    private static int Require(Vocabulary vocabulary, string token, string source) =>
        vocabulary.IdOf(token) ?? throw new InvalidDataException(
        $"{source} lacks the special token {token}; name the one that it has instead in {BertTokenizerOptions.FileName}, or take "
            + $"the vocabulary that belongs to the model.");

    private WordPieceTokenizer CreateWordPiece(BertNormalizer normalizer, BertTokenizerOptions options, string source)
    {
        using var lines = new MemoryStream(VocabularyFile.Bytes(Matchable(source)));
        return WordPieceTokenizer.Create(lines, new WordPieceOptions
        {
            Normalizer = normalizer,
            PreTokenizer = new BertPreTokenizer(),
            UnknownToken = options.UnknownToken,
            ContinuingSubwordPrefix = ContinuationPrefix,
            MaxInputCharsPerWord = 2 * LongestWord,
        });
    }

    /// <summary>
    /// The lines that words may match. A blank line keeps its id and matches nothing: so tokens that are only added are no word
    /// pieces, of equal tokens the last counts, and for untrusted text control tokens cannot be typed.
    /// </summary>
    private IEnumerable<string> Matchable(string source)
    {
        var lastIds = new Dictionary<string, int>(Tokens.Length, StringComparer.Ordinal);
        for (int id = 0; id < Tokens.Length; id++)
        {
            if (!VocabularyFile.IsLine(Tokens[id]))
                throw new InvalidDataException(
                    $"{source}: the token of id {id} spans lines or is not valid Unicode; fetch the checkpoint again.");
            lastIds[Tokens[id]] = id;
        }
        if (isForUntrustedText)
        {
            foreach (string token in Tokens.Where((_, id) => id != UnknownId && IsControl(id))) lastIds[token] = -1;
        }
        return Tokens.Select((token, id) => id < vocabulary.WordPieces && lastIds[token] == id ? token : "");
    }
}

/// <summary>vocab.txt: a token a line, its id the line's number from 0.</summary>
internal static class VocabularyFile
{
    public const string Name = "vocab.txt";

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">The file is empty or not UTF-8.</exception>
    public static string[] Read(string path)
    {
        if (!File.Exists(path))
            throw new FileNotFoundException($"There is no vocabulary {path}; take it from the checkpoint's folder.", path);
        string[] lines = Decode(path).Split('\n');
        // A last line without a token after it is the end of the file, not a token.
        if (lines[^1].Length == 0) lines = lines[..^1];
        if (lines.Length == 0) throw new InvalidDataException($"The vocabulary {path} is empty; fetch the checkpoint again.");
        return Array.ConvertAll(lines, line => line.EndsWith('\r') ? line[..^1] : line);
    }

    /// <summary>Whether a token can be a line of the file: valid UTF-16 without line breaks.</summary>
    public static bool IsLine(string token)
    {
        for (int index = 0; index < token.Length;)
        {
            if (token[index] is '\r' or '\n' || Rune.DecodeFromUtf16(token.AsSpan(index), out _, out int length) != OperationStatus.Done)
                return false;
            index += length;
        }
        return true;
    }

    public static void Write(string path, IReadOnlyList<string> tokens) => File.WriteAllBytes(path, Bytes(tokens));

    /// <summary>The file's bytes.</summary>
    public static byte[] Bytes(IEnumerable<string> tokens) => StrictUtf8.GetBytes(string.Concat(tokens.Select(token => token + "\n")));

    private static string Decode(string path)
    {
        byte[] bytes = File.ReadAllBytes(path);
        ReadOnlySpan<byte> text = bytes;
        if (text.StartsWith(Encoding.UTF8.Preamble)) text = text[Encoding.UTF8.Preamble.Length..];
        try
        {
            return StrictUtf8.GetString(text);
        }
        catch (DecoderFallbackException fault)
        {
            throw new InvalidDataException(
                $"The vocabulary {path} is not UTF-8 from byte {bytes.Length - text.Length + fault.Index} on; fetch the checkpoint "
                    + $"again.", fault);
        }
    }
}
