using System.Text.Json;

namespace ServerlessBert.Modeling.Tokenization;

/// <summary>tokenizer_config.json of a BERT checkpoint: how texts become word pieces.</summary>
public sealed partial record BertTokenizerOptions
{
    /// <summary>Whether letters are lower-cased (an uncased model); <c>do_lower_case</c>.</summary>
    public bool LowerCase { get; init; }

    /// <summary>Whether accents are stripped; null does as <see cref="LowerCase"/>, as BERT did; <c>strip_accents</c>.</summary>
    public bool? StripAccents { get; init; }

    /// <summary>Whether every CJK ideograph is a word of its own; <c>tokenize_chinese_chars</c>.</summary>
    public bool TokenizeChineseCharacters { get; init; } = true;

    /// <summary>Tokens the model reads at most, special tokens included; <see cref="int.MaxValue"/> is no limit; <c>model_max_length</c>. 512 is BERT's.</summary>
    public int ModelMaxLength { get; init; } = 512;

    /// <summary>Stands for a word that the vocabulary cannot spell; <c>unk_token</c>.</summary>
    public string UnknownToken { get; init; } = "[UNK]";

    /// <summary>Ends a text; <c>sep_token</c>.</summary>
    public string SeparatorToken { get; init; } = "[SEP]";

    /// <summary>Fills a batch's shorter rows; <c>pad_token</c>.</summary>
    public string PaddingToken { get; init; } = "[PAD]";

    /// <summary>Begins every input; its last hidden state is what is classified; <c>cls_token</c>.</summary>
    public string ClassificationToken { get; init; } = "[CLS]";

    /// <summary>Hides a token in masked language modelling; <c>mask_token</c>.</summary>
    public string MaskToken { get; init; } = "[MASK]";

    /// <summary>The five special tokens in the order in which a new vocabulary starts: padding is id 0, as in every BERT.</summary>
    internal string[] SpecialTokens => [PaddingToken, UnknownToken, ClassificationToken, SeparatorToken, MaskToken];

    internal const string FileName = "tokenizer_config.json";

    /// <summary>What Hugging Face's BertTokenizer takes for keys that a file does not have: it lower-cases.</summary>
    private static readonly BertTokenizerOptions WhenAbsent = new() { LowerCase = true };

    /// <summary>Tokenizers of Hugging Face that read a text just as BertTokenizer does; the others would give other ids.</summary>
    private static readonly string[] EquivalentClasses =
        ["BertTokenizer", "DistilBertTokenizer", "ElectraTokenizer", "MobileBertTokenizer", "ConvBertTokenizer", "PreTrainedTokenizer", "TokenizersBackend"];

    /// <summary>
    /// Reads tokenizer_config.json of a checkpoint folder. Keys that are absent, or an absent file, mean what they mean to
    /// Hugging Face's BertTokenizer: letters are lower-cased, 512 tokens, BERT's special tokens.
    /// </summary>
    /// <exception cref="InvalidDataException">The file is no JSON object, a setting is of the wrong type, or it is for another kind of tokenizer.</exception>
    public static BertTokenizerOptions Load(string folder) => Load(folder, WhenAbsent);

    /// <summary>Reads tokenizer_config.json over other settings for the keys it lacks.</summary>
    internal static BertTokenizerOptions Load(string folder, BertTokenizerOptions whenAbsent)
    {
        string path = Path.Combine(folder, FileName);
        if (!File.Exists(path)) return whenAbsent;
        using var settings = JsonSettings.Read(path);
        RequireEquivalentClass(settings);
        return new BertTokenizerOptions
        {
            LowerCase = settings.Boolean("do_lower_case") ?? whenAbsent.LowerCase,
            StripAccents = settings.Boolean("strip_accents") ?? whenAbsent.StripAccents,
            TokenizeChineseCharacters = settings.Boolean("tokenize_chinese_chars") ?? whenAbsent.TokenizeChineseCharacters,
            ModelMaxLength = settings.Length("model_max_length") ?? whenAbsent.ModelMaxLength,
            UnknownToken = settings.Token("unk_token") ?? whenAbsent.UnknownToken,
            SeparatorToken = settings.Token("sep_token") ?? whenAbsent.SeparatorToken,
            PaddingToken = settings.Token("pad_token") ?? whenAbsent.PaddingToken,
            ClassificationToken = settings.Token("cls_token") ?? whenAbsent.ClassificationToken,
            MaskToken = settings.Token("mask_token") ?? whenAbsent.MaskToken,
        };
    }

    /// <summary>Writes tokenizer_config.json as Hugging Face reads it; the folder is made where it is missing.</summary>
    public void Save(string folder)
    {
        Directory.CreateDirectory(folder);
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true, NewLine = "\n" })) Write(json);
        buffer.WriteByte((byte)'\n');
        File.WriteAllBytes(Path.Combine(folder, FileName), buffer.ToArray());
    }

    private void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteBoolean("clean_up_tokenization_spaces", true);
        json.WriteString("cls_token", ClassificationToken);
        json.WriteBoolean("do_lower_case", LowerCase);
        json.WriteString("mask_token", MaskToken);
        json.WritePropertyName("model_max_length");
        // Hugging Face's own number for no limit: int(1e30).
        json.WriteRawValue(ModelMaxLength == int.MaxValue ? "1000000000000000019884624838656" : ModelMaxLength.ToString(System.Globalization.CultureInfo.InvariantCulture));
        json.WriteString("pad_token", PaddingToken);
        json.WriteString("sep_token", SeparatorToken);
        if (StripAccents is bool strip) json.WriteBoolean("strip_accents", strip);
        else json.WriteNull("strip_accents");
        json.WriteBoolean("tokenize_chinese_chars", TokenizeChineseCharacters);
        json.WriteString("tokenizer_class", "BertTokenizer");
        json.WriteString("unk_token", UnknownToken);
        json.WriteEndObject();
    }

    private static void RequireEquivalentClass(JsonSettings settings)
    {
        string? name = settings.Token("tokenizer_class");
        if (name is null || EquivalentClasses.Contains(name.EndsWith("Fast", StringComparison.Ordinal) ? name[..^4] : name)) return;
        throw new InvalidDataException($"{settings.Path} is for a {name}, which reads texts otherwise than BertTokenizer; take a checkpoint of the BERT family.");
    }
}
