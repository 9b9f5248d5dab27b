using System.Text.Json.Nodes;
using ServerlessBert.Modeling.Tokenization;

namespace ServerlessBert.Modeling.Tests.Tokenization;

/// <summary>Checkpoints whose only vocabulary is Hugging Face's tokenizer.json.</summary>
public sealed class TokenizerJsonTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("tokenizer-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void It_gives_the_ids_that_vocab_txt_gives(bool lowerCase)
    {
        Write(Whole(lowerCase));
        BertTokenizerOptions options = lowerCase ? SmallVocabulary.Uncased : SmallVocabulary.Cased;
        var tokenizer = BertTokenizer.FromFolder(folder);
        Assert.Equal(options, tokenizer.Options);
        Assert.Equal(SmallVocabulary.Tokenizer(options).Encode("Good foods, é\n👍!"), tokenizer.Encode("Good foods, é\n👍!"));
    }

    [Fact]
    public void The_keys_of_tokenizer_config_come_first()
    {
        Write(Whole(lowerCase: true));
        File.WriteAllText(Path.Combine(folder, "tokenizer_config.json"), """{"do_lower_case":false,"model_max_length":64}""");
        Assert.Equal(SmallVocabulary.Cased with { ModelMaxLength = 64 }, BertTokenizer.FromFolder(folder).Options);
    }

    [Fact]
    public void Added_tokens_take_their_ids()
    {
        JsonObject file = Whole(lowerCase: true);
        int id = SmallVocabulary.Tokens.Length;
        file["added_tokens"] = new JsonArray(new JsonObject { ["id"] = id, ["content"] = "quinoa", ["special"] = false });
        Write(file);
        Assert.Equal(id, BertTokenizer.FromFolder(folder).Encode("Quinoa")[1]);
    }

    public static TheoryData<string, string> Faults => new()
    {
        { """{}""", "model should be a WordPiece model, but is absent" },
        { """{"model":{"type":"BPE","vocab":{}}}""", "is a BPE" },
        { """{"model":{"type":"WordPiece","vocab":{},"continuing_subword_prefix":"@@"}}""", "prefix \"@@\"" },
        { """{"model":{"type":"WordPiece","vocab":{}},"normalizer":{"type":"NFC"}}""", "normalizer NFC" },
        { """{"model":{"type":"WordPiece","vocab":{}},"normalizer":{"type":"BertNormalizer"},"pre_tokenizer":null}""", "pre_tokenizer none" },
        { Parts("""{"a":0,"b":0}"""), "is taken twice" },
        { Parts("""{"a":0,"b":2}"""), "without a gap" },
        { Parts("""{"a":-1}"""), "without a gap" },
        { Parts("""{}"""), "without a gap" },
        { Parts("""{"a":"0"}"""), "is no number" },
        { Parts("""{"a":0}"""), "lacks the special token [PAD]" },
        { Parts("""{"a":0}""", """[{"content":"b"}]"""), "lacks an id" },
        { Parts("7"), "should be an object with vocab" },
        { "{", "not valid JSON" },
    };

    [Theory, MemberData(nameof(Faults))]
    public void A_broken_or_foreign_file_is_refused_with_its_fault(string text, string fault)
    {
        File.WriteAllText(Path.Combine(folder, "tokenizer.json"), text);
        string message = Assert.Throws<InvalidDataException>(() => BertTokenizer.FromFolder(folder)).Message;
        Assert.Contains(fault, message);
        Assert.Contains("tokenizer.json", message);
    }

    private static string Parts(string vocabulary, string added = "[]") =>
        $$"""{"model":{"type":"WordPiece","vocab":{{vocabulary}}},"normalizer":{"type":"BertNormalizer"},"pre_tokenizer":{"type":"BertPreTokenizer"},"added_tokens":{{added}}}""";

    private static JsonObject Whole(bool lowerCase) => new()
    {
        ["version"] = "1.0",
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
        ["model"] = new JsonObject
        {
            ["type"] = "WordPiece",
            ["unk_token"] = "[UNK]",
            ["continuing_subword_prefix"] = "##",
            ["max_input_chars_per_word"] = 100,
            ["vocab"] = new JsonObject(SmallVocabulary.Tokens.Select((token, id) => KeyValuePair.Create(token, (JsonNode?)id))),
        },
    };

    private void Write(JsonObject file) => File.WriteAllText(Path.Combine(folder, "tokenizer.json"), file.ToJsonString());
}
