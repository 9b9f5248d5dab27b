using System.Text.Json;

namespace ServerlessBert.Modeling;

/// <summary>tokenizer.json, Hugging Face's whole tokenizer in one file: what a checkpoint without vocab.txt is read from.</summary>
/// <param name="Tokens">The vocabulary, by id.</param>
/// <param name="Options">What its normalizer says, for the keys that tokenizer_config.json lacks.</param>
internal sealed record TokenizerJson(string[] Tokens, BertTokenizerOptions Options)
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
        return new TokenizerJson(ReadTokens(file, model), ReadOptions(file, model));
    }

    private static void RequireWordPiece(JsonSettings file, JsonElement model)
    {
        string type = Text(model, "type") ?? "WordPiece";
        string prefix = Text(model, "continuing_subword_prefix") ?? BertTokenizer.ContinuationPrefix;
        int longest = JsonSettings.Find(model, "max_input_chars_per_word") is { ValueKind: JsonValueKind.Number } number && number.TryGetInt32(out int value)
            ? value : BertTokenizer.LongestWord;
        if (type != "WordPiece" || prefix != BertTokenizer.ContinuationPrefix || longest != BertTokenizer.LongestWord)
            throw new InvalidDataException($"{file.Path} is a {type} with the prefix \"{prefix}\" and words of up to {longest} characters, not BERT's WordPiece (\"##\", 100); take a checkpoint of the BERT family.");
    }

    private static void RequireType(JsonSettings file, string name, string expected)
    {
        string? type = file.Find(name) is JsonElement part ? Text(part, "type") : null;
        if (type != expected)
            throw new InvalidDataException($"{file.Path} has the {name} {type ?? "none"} and not {expected}; take a checkpoint of the BERT family.");
    }

    private static BertTokenizerOptions ReadOptions(JsonSettings file, JsonElement model)
    {
        JsonElement normalizer = file.Find("normalizer")!.Value;
        return new BertTokenizerOptions
        {
            LowerCase = Flag(normalizer, "lowercase") ?? true,
            StripAccents = Flag(normalizer, "strip_accents"),
            TokenizeChineseCharacters = Flag(normalizer, "handle_chinese_chars") ?? true,
            UnknownToken = Text(model, "unk_token") ?? "[UNK]",
        };
    }

    private static string[] ReadTokens(JsonSettings file, JsonElement model)
    {
        if (JsonSettings.Find(model, "vocab") is not { ValueKind: JsonValueKind.Object } vocabulary) throw file.Unexpected("model", "an object with vocab");
        var tokens = new SortedDictionary<int, string>();
        foreach (JsonProperty entry in vocabulary.EnumerateObject())
        {
            if (entry.Value.ValueKind != JsonValueKind.Number || !entry.Value.TryGetInt32(out int id) || !tokens.TryAdd(id, entry.Name))
                throw new InvalidDataException($"{file.Path}: the id {entry.Value.GetRawText()} of the token \"{entry.Name}\" is no number or is taken twice; fetch the checkpoint again.");
        }
        if (file.Find("added_tokens") is { ValueKind: JsonValueKind.Array } added)
        {
            foreach (JsonElement token in added.EnumerateArray()) AddToken(file, tokens, token);
        }
        if (tokens.Count == 0 || tokens.Keys.First() != 0 || tokens.Keys.Last() != tokens.Count - 1)
            throw new InvalidDataException($"{file.Path}: the ids of its {tokens.Count} tokens do not run from 0 without a gap; fetch the checkpoint again.");
        return [.. tokens.Values];
    }

    private static void AddToken(JsonSettings file, SortedDictionary<int, string> tokens, JsonElement token)
    {
        string? content = Text(token, "content");
        if (content is null || JsonSettings.Find(token, "id") is not { ValueKind: JsonValueKind.Number } number || !number.TryGetInt32(out int id))
            throw new InvalidDataException($"{file.Path}: the added token {token.GetRawText()} lacks an id or a content; fetch the checkpoint again.");
        tokens[id] = content;
    }

    private static string? Text(JsonElement parent, string name) => JsonSettings.Find(parent, name) is JsonElement value ? JsonSettings.Text(value) : null;

    private static bool? Flag(JsonElement parent, string name) => JsonSettings.Find(parent, name)?.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => null,
    };
}
