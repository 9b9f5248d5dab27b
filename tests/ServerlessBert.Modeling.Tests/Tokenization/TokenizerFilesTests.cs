using System.Text;
using System.Text.Json;
using ServerlessBert.Modeling.Tokenization;

namespace ServerlessBert.Modeling.Tests.Tokenization;

public sealed class TokenizerFilesTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("tokenizer-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData(true, null, true, 512)]
    [InlineData(false, true, false, 128)]
    [InlineData(true, false, true, int.MaxValue)]
    public void A_saved_tokenizer_loads_as_it_was(bool lowerCase, bool? stripAccents, bool chinese, int maxLength)
    {
        var options = new BertTokenizerOptions
        {
            LowerCase = lowerCase,
            StripAccents = stripAccents,
            TokenizeChineseCharacters = chinese,
            ModelMaxLength = maxLength
        };
        SmallVocabulary.Tokenizer(options).Save(folder);
        var loaded = BertTokenizer.FromFolder(folder);
        Assert.Equal(options, loaded.Options);
        Assert.Equal(SmallVocabulary.Tokens, Enumerable.Range(0, loaded.VocabularySize).Select(loaded.TokenOf));
    }

    [Fact]
    public void The_saved_configuration_has_Hugging_Faces_names()
    {
        SmallVocabulary.Uncased.Save(folder);
        using JsonDocument file = JsonDocument.Parse(File.ReadAllBytes(In("tokenizer_config.json")));
        Assert.Equal("BertTokenizer", file.RootElement.GetProperty("tokenizer_class").GetString());
        Assert.True(file.RootElement.GetProperty("do_lower_case").GetBoolean());
        Assert.Equal(JsonValueKind.Null, file.RootElement.GetProperty("strip_accents").ValueKind);
        Assert.Equal("[SEP]", file.RootElement.GetProperty("sep_token").GetString());
    }

    [Fact]
    public void A_key_or_file_that_is_absent_means_what_it_means_to_Hugging_Face()
    {
        Assert.Equal(new BertTokenizerOptions { LowerCase = true }, BertTokenizerOptions.Load(folder));
        Write("tokenizer_config.json", """{"model_max_length":256}""");
        Assert.Equal(new BertTokenizerOptions { LowerCase = true, ModelMaxLength = 256 }, BertTokenizerOptions.Load(folder));
    }

    [Fact]
    public void An_absurd_maximum_is_no_limit_and_special_tokens_may_be_objects()
    {
        Write("tokenizer_config.json", """
            {"do_lower_case":false,"model_max_length":1000000000000000019884624838656,"unk_token":{"content":"<unk>","lstrip":false},
             "sep_token":"</s>","tokenizer_class":"BertTokenizerFast","something_new":[1]}
            """);
        Assert.Equal(new BertTokenizerOptions { ModelMaxLength = int.MaxValue, UnknownToken = "<unk>", SeparatorToken = "</s>" },
            BertTokenizerOptions.Load(folder));
        Write("tokenizer_config.json", """{"model_max_length":1e30}""");
        Assert.Equal(int.MaxValue, BertTokenizerOptions.Load(folder).ModelMaxLength);
    }

    [Theory]
    [InlineData("", "not valid JSON")]
    [InlineData("{\"do_lower_case\":", "not valid JSON")]
    [InlineData("[1]", "no JSON object")]
    [InlineData("""{"do_lower_case":"yes"}""", "do_lower_case should be true or false, but is \"yes\"")]
    [InlineData("""{"model_max_length":0}""", "model_max_length should be a number of at least 2, but is 0")]
    [InlineData("""{"sep_token":7}""", "sep_token should be a string, but is 7")]
    [InlineData("""{"sep_token":"\ud83d"}""", "sep_token should be a string")]
    [InlineData("""{"tokenizer_class":"BertJapaneseTokenizer"}""", "is for a BertJapaneseTokenizer")]
    public void A_broken_configuration_is_refused_with_its_fault(string text, string fault)
    {
        Write("tokenizer_config.json", text);
        Refuses(fault, () => BertTokenizerOptions.Load(folder), "tokenizer_config.json");
    }

    [Fact]
    public void A_folder_without_a_vocabulary_is_refused()
    {
        string message = Assert.Throws<FileNotFoundException>(() => BertTokenizer.FromFolder(folder)).Message;
        Assert.Contains(folder, message);
        Assert.Contains("vocab.txt", message);
        Assert.Throws<FileNotFoundException>(() => BertTokenizer.FromVocabulary(In("vocab.txt"), SmallVocabulary.Cased));
    }

    [Theory]
    [InlineData("", "is empty")]
    [InlineData("[PAD]\n[UNK]\n[CLS]\n[MASK]\ngood\n", "lacks the special token [SEP]")]
    [InlineData("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\ngo\rod\n", "token of id 5 spans lines")]
    public void A_broken_vocabulary_is_refused_with_its_fault(string text, string fault)
    {
        Write("vocab.txt", text);
        Refuses(fault, () => BertTokenizer.FromFolder(folder), "vocab.txt");
    }

    [Fact]
    public void A_vocabulary_that_is_not_UTF_8_is_refused_with_the_byte()
    {
        File.WriteAllBytes(In("vocab.txt"), [.. "[PAD]\n"u8, 0xFF, (byte)'\n']);
        Refuses("not UTF-8 from byte 6", () => BertTokenizer.FromFolder(folder), "vocab.txt");
    }

    [Fact]
    public void A_vocabulary_may_have_a_byte_order_mark_Windows_line_ends_blank_and_doubled_lines()
    {
        byte[] text = Encoding.UTF8.GetBytes("[PAD]\r\n[UNK]\r\n\r\n[CLS]\r\n[SEP]\r\n[MASK]\r\ngood\r\ngood");
        File.WriteAllBytes(In("vocab.txt"), [.. Encoding.UTF8.Preamble, .. text]);
        var tokenizer = BertTokenizer.FromFolder(folder);
        Assert.Equal(8, tokenizer.VocabularySize);
        Assert.Equal([3, 7, 4], tokenizer.Encode("good"));
    }

    [Fact]
    public void A_token_that_is_not_valid_Unicode_is_refused() =>
        Assert.Throws<InvalidDataException>(
            () => BertTokenizer.FromVocabulary([.. SmallVocabulary.Tokens, "\uD83D"], SmallVocabulary.Cased));

    private string In(string name) => Path.Combine(folder, name);

    private void Write(string name, string text) => File.WriteAllText(In(name), text);

    private static void Refuses(string fault, Func<object> load, string file)
    {
        string message = Assert.Throws<InvalidDataException>(load).Message;
        Assert.Contains(fault, message);
        Assert.Contains(file, message);
    }
}
