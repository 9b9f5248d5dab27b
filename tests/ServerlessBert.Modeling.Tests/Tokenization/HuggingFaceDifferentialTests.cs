using System.Text;
using System.Text.Json.Nodes;
using ServerlessBert.Modeling.Tokenization;
using ServerlessBert.Testing;
using Tokenizers.DotNet;

namespace ServerlessBert.Modeling.Tests.Tokenization;

/// <summary>Seeded texts through this tokenizer and through Hugging Face's own library (tokenizers, in Rust).</summary>
public sealed class HuggingFaceDifferentialTests : IDisposable
{
    private const int Texts = 5_000; // of each of the four runs

    private static readonly string[] Added = ["<url>", "[BRAND]", "quinoa", "Ünïcode", "<a b>", "<lone>", "<left>", "<right>", "[EXTRA]"];

    private readonly string folder = Directory.CreateTempSubdirectory("tokenizer-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [SharedDataTheory]
    [InlineData("bert-base-uncased-vocab.txt", true, false)]
    [InlineData("bert-base-cased-vocab.txt", false, false)]
    [InlineData("bert-base-uncased-vocab.txt", true, true)]
    [InlineData("bert-base-cased-vocab.txt", false, true)]
    public void Every_text_has_Hugging_Faces_ids(string vocabulary, bool lowerCase, bool hasAddedTokens)
    {
        string path = Path.Combine(folder, "tokenizer.json");
        File.WriteAllText(path, Whole(File.ReadAllLines(SharedData.PathOf("vocab", vocabulary)), lowerCase, hasAddedTokens).ToJsonString());
        using var reference = new Tokenizer(path);
        BertTokenizer ours = BertTokenizer.FromFolder(folder);
        string saved = Path.Combine(folder, "saved");
        ours.Save(saved);
        BertTokenizer again = BertTokenizer.FromFolder(saved);
        var random = new Random(20261125 + vocabulary.Length + (hasAddedTokens ? 1 : 0));
        for (int index = 0; index < Texts; index++)
        {
            string text = Text(random);
            string expected = string.Join(' ', reference.Encode(text));
            Assert.Equal((Escaped(text), expected), (Escaped(text), string.Join(' ', ours.Encode(text, int.MaxValue))));
            Assert.Equal((Escaped(text), expected), (Escaped(text), string.Join(' ', again.Encode(text, int.MaxValue))));
        }
    }

    private static string Escaped(string text) =>
        string.Concat(text.Select(unit => unit is > ' ' and <= '~' ? unit.ToString() : $"\\u{(int)unit:X4}"));

    private static string Text(Random random)
    {
        var text = new StringBuilder();
        for (int part = random.Next(1, 24); part > 0; part--)
        {
            switch (random.Next(8))
            {
                case 0: text.Append(Added[random.Next(Added.Length)]); break;
                case 1: text.Append(new[] { "[MASK]", "[SEP]", "[CLS]", "[PAD]", "[UNK]", "[mask]" }[random.Next(6)]); break;
                case 2: text.Append(AnyRune(random)); break;
                case 3: text.Append(' ', random.Next(1, 4)); break;
                case 4: text.Append((char)random.Next(' ', '\u007F')); break;
                case 5:
                    text.Append(
                    new[] { "é", "\t", "\n", "中文", "İ", "Σ", "👍", "\u200B", "ﬁ", "don't", "\u00A0", "ÅB", "한국", "e\u0301" }[
                    random.Next(14)]); break;
                default:
                    text.Append(
                    new[] { "The", "great", "food", "Quinoa", "unbelievable", "naïve", "pizza", "x1", "lone", "€5" }[
                    random.Next(10)]); break;
            }
            if (random.Next(2) == 0) text.Append(' ');
        }
        return text.ToString();
    }

    private static string AnyRune(Random random)
    {
        while (true)
        {
            // The basic plane mostly, where people write.
            int value = random.Next(10) == 0 ? random.Next(0x30000) : random.Next(0x10000);
            if (Rune.IsValid(value) && !HuggingFaceDifferences.Contains(value)) return new Rune(value).ToString();
        }
    }

    private static JsonObject Whole(string[] tokens, bool lowerCase, bool hasAddedTokens)
    {
        string[] special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];
        JsonObject[] added =
        [
            .. special.Select(token => Entry(Array.IndexOf(tokens, token), token, isSpecial: true)).OrderBy(token => (int)token["id"]!),
            .. hasAddedTokens ? Added.Select((token, index) => Entry(tokens.Length + index, token, isSpecial: token == "[EXTRA]")) : [],
        ];
        return new JsonObject
        {
            ["version"] = "1.0",
            ["added_tokens"] = new JsonArray(added),
            ["normalizer"] =
                new JsonObject
                {
                    ["type"] = "BertNormalizer",
                    ["clean_text"] = true,
                    ["handle_chinese_chars"] = true,
                    ["strip_accents"] = null,
                    ["lowercase"] = lowerCase
                },
            ["pre_tokenizer"] = new JsonObject { ["type"] = "BertPreTokenizer" },
            ["post_processor"] = new JsonObject
            {
                ["type"] = "BertProcessing",
                ["sep"] = new JsonArray("[SEP]", Array.IndexOf(tokens, "[SEP]")),
                ["cls"] = new JsonArray("[CLS]", Array.IndexOf(tokens, "[CLS]")),
            },
            ["model"] = new JsonObject
            {
                ["type"] = "WordPiece",
                ["unk_token"] = "[UNK]",
                ["continuing_subword_prefix"] = "##",
                ["max_input_chars_per_word"] = 100,
                ["vocab"] = new JsonObject(tokens.Select((token, id) => KeyValuePair.Create(token, (JsonNode?)id))),
            },
        };
    }

    private static JsonObject Entry(int id, string content, bool isSpecial) => new()
    {
        ["id"] = id,
        ["content"] = content,
        ["single_word"] = content is "<lone>" or "quinoa",
        ["lstrip"] = content == "<left>",
        ["rstrip"] = content == "<right>",
        ["normalized"] = !isSpecial && content != "<a b>",
        ["special"] = isSpecial,
    };
}
