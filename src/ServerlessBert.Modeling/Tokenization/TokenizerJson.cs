using System.Text.Json;

namespace ServerlessBert.Modeling.Tokenization;

/// <summary>tokenizer.json, Hugging Face's whole tokenizer in one file: what a checkpoint without vocab.txt is read from.</summary>
/// <param name="Vocabulary">The tokens by id, and the added ones.</param>
/// <param name="Options">What its normalizer says, for the keys that tokenizer_config.json lacks.</param>
internal sealed record TokenizerJson(Vocabulary Vocabulary, BertTokenizerOptions Options)
{
    public const string Name = "tokenizer.json";

    /// <exception cref="InvalidDataException">The file is broken, or describes another tokenizer than BERT's.</exception>
    public static TokenizerJson Read(string path)
    {
        using var file = JsonSettings.Read(path);
        JsonElement model = file.Find("model") ?? throw file.Unexpected("model", "a WordPiece model");
        RequireWordPiece(file, model);
        RequireType(file, "normalizer", "BertNormalizer");
        RequireType(file, "pre_tokenizer", "BertPreTokenizer");
        return new TokenizerJson(ReadVocabulary(file, model), ReadOptions(file, model));
    }

    private static void RequireWordPiece(JsonSettings file, JsonElement model)
    {
        string type = Text(model, "type") ?? "WordPiece";
        string prefix = Text(model, "continuing_subword_prefix") ?? BertTokenizer.ContinuationPrefix;
        int longest = JsonSettings.Find(model, "max_input_chars_per_word") is { ValueKind: JsonValueKind.Number } number
            && number.TryGetInt32(out int value)
            ? value : BertTokenizer.LongestWord;
        if (type != "WordPiece" || prefix != BertTokenizer.ContinuationPrefix || longest != BertTokenizer.LongestWord)
            throw new InvalidDataException(
                $"{file.Path} is a {type} with the prefix \"{prefix}\" and words of up to {longest} characters, not BERT's "
                    + $"WordPiece (\"##\", 100); take a checkpoint of the BERT family.");
    }

    private static void RequireType(JsonSettings file, string name, string expected)
    {
        string? type = file.Find(name) is JsonElement part ? Text(part, "type") : null;
        if (type != expected)
            throw new InvalidDataException(
                $"{file.Path} has the {name} {type ?? "none"} and not {expected}; take a checkpoint of the BERT family.");
    }

    private static BertTokenizerOptions ReadOptions(JsonSettings file, JsonElement model)
    {
        JsonElement normalizer = file.Find("normalizer")!.Value;
        return new BertTokenizerOptions
        {
            LowerCase = JsonSettings.Flag(normalizer, "lowercase") ?? true,
            StripAccents = JsonSettings.Flag(normalizer, "strip_accents"),
            TokenizeChineseCharacters = JsonSettings.Flag(normalizer, "handle_chinese_chars") ?? true,
            UnknownToken = Text(model, "unk_token") ?? "[UNK]",
            TruncationSide = SideOf(file) ?? TruncationSide.Right,
        };
    }

    /// <summary>The side that its own truncation cuts, for where tokenizer_config.json does not say.</summary>
    public static TruncationSide? SideOf(JsonSettings file) =>
        file.Find("truncation") is not { } truncation ? null : Text(truncation, "direction") == "Left" ? TruncationSide.Left
            : TruncationSide.Right;

    private static Vocabulary ReadVocabulary(JsonSettings file, JsonElement model)
    {
        if (JsonSettings.Find(model, "vocab") is not { ValueKind: JsonValueKind.Object } vocabulary)
            throw file.Unexpected("model", "an object with vocab");
        var tokens = new SortedDictionary<int, string>();
        foreach (JsonProperty entry in vocabulary.EnumerateObject())
        {
            if (entry.Value.ValueKind != JsonValueKind.Number || !entry.Value.TryGetInt32(out int id) || !tokens.TryAdd(id, entry.Name))
                throw new InvalidDataException(
                    $"{file.Path}: the id {entry.Value.GetRawText()} of the token \"{entry.Name}\" is no number or is taken twice; "
                        + $"fetch the checkpoint again.");
        }
        int wordPieces = tokens.Count == 0 ? 0 : tokens.Keys.Last() + 1;
        AddedToken[] added = [.. AddedTokenFiles.FromTokenizerJson(file)];
        foreach (AddedToken token in added) tokens[token.Id] = token.Content;
        if (tokens.Count == 0 || tokens.Keys.First() != 0 || tokens.Keys.Last() != tokens.Count - 1)
            throw new InvalidDataException(
                $"{file.Path}: the ids of its {tokens.Count} tokens do not run from 0 without a gap; fetch the checkpoint again.");
        return new Vocabulary([.. tokens.Values], wordPieces, added);
    }

    private static string? Text(JsonElement parent, string name) =>
        JsonSettings.Find(parent, name) is JsonElement value ? JsonSettings.Text(value) : null;
}

/// <summary>A JSON object of settings whose refusals name the file, the key and what was expected.</summary>
internal sealed class JsonSettings : IDisposable
{
    private readonly JsonDocument document;

    private JsonSettings(string path, JsonDocument document) => (Path, this.document) = (path, document);

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>The object itself.</summary>
    public JsonElement Root => document.RootElement;

    /// <exception cref="InvalidDataException">The file holds no JSON object.</exception>
    public static JsonSettings Read(string path)
    {
        JsonDocument document;
        try
        {
            using var stream = File.OpenRead(path);
            document = JsonDocument.Parse(stream);
        }
        catch (JsonException fault)
        {
            throw new InvalidDataException($"{path} is not valid JSON ({fault.Message}); fetch the checkpoint again.", fault);
        }
        if (document.RootElement.ValueKind == JsonValueKind.Object) return new JsonSettings(path, document);
        document.Dispose();
        throw new InvalidDataException($"{path} holds no JSON object; fetch the checkpoint again.");
    }

    /// <summary>The file's settings, or null where there is no such file.</summary>
    /// <exception cref="InvalidDataException">The file holds no JSON object.</exception>
    public static JsonSettings? ReadIfPresent(string path) => File.Exists(path) ? Read(path) : null;

    /// <summary>true, false, or null for a key that is absent or null.</summary>
    public bool? Boolean(string name) => Find(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.True } => true,
        { ValueKind: JsonValueKind.False } => false,
        _ => throw Unexpected(name, "true or false"),
    };

    /// <summary>A number of tokens; what an int cannot hold is Hugging Face's way to say no limit: <see cref="int.MaxValue"/>.</summary>
    public int? Length(string name) => Find(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Number } number when number.TryGetDouble(out double value) && value >= 2 =>
            value >= int.MaxValue ? int.MaxValue : (int)value,
        _ => throw Unexpected(name, "a number of at least 2"),
    };

    /// <summary>A token, written as a string or as an object with <c>content</c>.</summary>
    public string? Token(string name)
    {
        JsonElement? value = Find(name);
        if (value is { ValueKind: JsonValueKind.Object } added && added.TryGetProperty("content", out JsonElement content)) value = content;
        return value is null ? null : Text(value.Value) ?? throw Unexpected(name, "a string");
    }

    /// <summary>A value that is neither absent nor null.</summary>
    public JsonElement? Find(string name) => Find(Root, name);

    /// <inheritdoc cref="Find(string)"/>
    public static JsonElement? Find(JsonElement parent, string name) =>
        parent.ValueKind == JsonValueKind.Object && parent.TryGetProperty(name, out JsonElement value)
            && value.ValueKind != JsonValueKind.Null ? value : null;

    /// <summary>true, false, or null for what is neither.</summary>
    public static bool? Flag(JsonElement parent, string name) => Find(parent, name)?.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => null,
    };

    /// <summary>A string's text; null where the value is no string or not valid Unicode.</summary>
    public static string? Text(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.String) return null;
        try
        {
            return value.GetString();
        }
        catch (InvalidOperationException)
        {
            // An escaped lone surrogate: the only string that parses and cannot be read.
            return null;
        }
    }

    /// <summary>The refusal of a value.</summary>
    public InvalidDataException Unexpected(string name, string expected) =>
        new($"{Path}: {name} should be {expected}, but is {Find(name)?.GetRawText() ?? "absent"}; correct it or fetch the "
            + $"checkpoint again.");

    /// <inheritdoc/>
    public void Dispose() => document.Dispose();
}
