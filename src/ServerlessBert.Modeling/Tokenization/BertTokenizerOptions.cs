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

    /// <summary>
    /// Tokens the model reads at most, special tokens included; <see cref="int.MaxValue"/> is no limit; <c>model_max_length</c>.
    /// 512 is BERT's.
    /// </summary>
    public int ModelMaxLength { get; init; } = 512;

    /// <summary>Which end of a text that is too long is left out; <c>truncation_side</c>.</summary>
    public TruncationSide TruncationSide { get; init; }

    /// <summary>Whether special tokens in a text are words as any other, rather than their ids; <c>split_special_tokens</c>.</summary>
    public bool SplitSpecialTokens { get; init; }

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
        ["BertTokenizer", "DistilBertTokenizer", "ElectraTokenizer", "MobileBertTokenizer", "ConvBertTokenizer", "PreTrainedTokenizer",
            "TokenizersBackend"];

    /// <summary>
    /// Reads tokenizer_config.json of a checkpoint folder, and special_tokens_map.json, whose names come first where the former
    /// lists no added tokens. Keys that are absent, or absent files, mean what they mean to Hugging Face's BertTokenizer:
    /// letters are lower-cased, 512 tokens, BERT's special tokens.
    /// </summary>
    /// <exception cref="InvalidDataException">The file is no JSON object, a setting is of the wrong type, or it is for another
    /// kind of tokenizer.</exception>
    public static BertTokenizerOptions Load(string folder) => Load(folder, WhenAbsent);

    /// <summary>Reads tokenizer_config.json over other settings for the keys it lacks.</summary>
    internal static BertTokenizerOptions Load(string folder, BertTokenizerOptions whenAbsent)
    {
        using JsonSettings? settings = JsonSettings.ReadIfPresent(Path.Combine(folder, FileName));
        if (settings is not null) RequireEquivalentClass(settings);
        using JsonSettings? special = AddedTokenFiles.AreIn(settings)
            ? null
            : JsonSettings.ReadIfPresent(Path.Combine(folder, AddedTokenFiles.SpecialTokens));
        return new BertTokenizerOptions
        {
            LowerCase = settings?.Boolean("do_lower_case") ?? whenAbsent.LowerCase,
            StripAccents = settings?.Boolean("strip_accents") ?? whenAbsent.StripAccents,
            TokenizeChineseCharacters = settings?.Boolean("tokenize_chinese_chars") ?? whenAbsent.TokenizeChineseCharacters,
            ModelMaxLength = settings?.Length("model_max_length") ?? whenAbsent.ModelMaxLength,
            TruncationSide = settings is null ? whenAbsent.TruncationSide : SideOf(settings) ?? whenAbsent.TruncationSide,
            SplitSpecialTokens = settings?.Boolean("split_special_tokens") ?? whenAbsent.SplitSpecialTokens,
            UnknownToken = Token("unk_token") ?? whenAbsent.UnknownToken,
            SeparatorToken = Token("sep_token") ?? whenAbsent.SeparatorToken,
            PaddingToken = Token("pad_token") ?? whenAbsent.PaddingToken,
            ClassificationToken = Token("cls_token") ?? whenAbsent.ClassificationToken,
            MaskToken = Token("mask_token") ?? whenAbsent.MaskToken,
        };

        string? Token(string name) => special?.Token(name) ?? settings?.Token(name);
    }

    private static TruncationSide? SideOf(JsonSettings settings) => settings.Token("truncation_side") switch
    {
        null => null,
        "left" => Tokenization.TruncationSide.Left,
        "right" => Tokenization.TruncationSide.Right,
        _ => throw settings.Unexpected("truncation_side", "\"left\" or \"right\""),
    };

    /// <summary>Writes tokenizer_config.json as Hugging Face reads it; the folder is made where it is missing.</summary>
    public void Save(string folder) => Save(folder, []);

    internal void Save(string folder, IEnumerable<AddedToken> added)
    {
        Directory.CreateDirectory(folder);
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true, NewLine = "\n" })) Write(json, added);
        buffer.WriteByte((byte)'\n');
        File.WriteAllBytes(Path.Combine(folder, FileName), buffer.ToArray());
    }

    private void Write(Utf8JsonWriter json, IEnumerable<AddedToken> added)
    {
        json.WriteStartObject();
        if (added.Any())
        {
            json.WriteStartObject("added_tokens_decoder");
            foreach (AddedToken token in added.OrderBy(token => token.Id)) token.Write(json);
            json.WriteEndObject();
        }
        json.WriteBoolean("clean_up_tokenization_spaces", true);
        json.WriteString("cls_token", ClassificationToken);
        json.WriteBoolean("do_lower_case", LowerCase);
        json.WriteString("mask_token", MaskToken);
        json.WritePropertyName("model_max_length");
        // Hugging Face's own number for no limit: int(1e30).
        json.WriteRawValue(
            ModelMaxLength == int.MaxValue ? "1000000000000000019884624838656"
            : ModelMaxLength.ToString(System.Globalization.CultureInfo.InvariantCulture));
        json.WriteString("pad_token", PaddingToken);
        json.WriteString("sep_token", SeparatorToken);
        if (SplitSpecialTokens) json.WriteBoolean("split_special_tokens", true);
        if (StripAccents is bool strip) json.WriteBoolean("strip_accents", strip);
        else json.WriteNull("strip_accents");
        json.WriteBoolean("tokenize_chinese_chars", TokenizeChineseCharacters);
        json.WriteString("tokenizer_class", "BertTokenizer");
        if (TruncationSide == TruncationSide.Left) json.WriteString("truncation_side", "left");
        json.WriteString("unk_token", UnknownToken);
        json.WriteEndObject();
    }

    private static void RequireEquivalentClass(JsonSettings settings)
    {
        string? name = settings.Token("tokenizer_class");
        if (name is null || EquivalentClasses.Contains(name.EndsWith("Fast", StringComparison.Ordinal) ? name[..^4] : name)) return;
        throw new InvalidDataException(
            $"{settings.Path} is for a {name}, which reads texts otherwise than BertTokenizer; take a checkpoint of the BERT family.");
    }
}

/// <summary>An end of a text.</summary>
public enum TruncationSide
{
    /// <summary>The end of the text is left out.</summary>
    Right,

    /// <summary>The beginning of the text is left out.</summary>
    Left,
}
