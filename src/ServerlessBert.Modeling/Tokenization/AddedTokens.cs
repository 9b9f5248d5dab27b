using System.Globalization;
using System.Text.Json;

namespace ServerlessBert.Modeling.Tokenization;

/// <summary>A token that is found in a text before the text is split into words, as Hugging Face's AddedToken.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Content">What a text has to say.</param>
public sealed record AddedToken(int Id, string Content)
{
    /// <summary>Whether it is a special token, such as [MASK]; <c>special</c>.</summary>
    public bool IsSpecial { get; init; }

    /// <summary>Whether it is looked for in the normalized text, and is normalized itself; <c>normalized</c>.</summary>
    public bool IsNormalized { get; init; }

    /// <summary>Whether it is found between words only, not within one; <c>single_word</c>.</summary>
    public bool IsSingleWord { get; init; }

    /// <summary>Whether it takes the white space before it; <c>lstrip</c>.</summary>
    public bool StripsLeft { get; init; }

    /// <summary>Whether it takes the white space after it; <c>rstrip</c>.</summary>
    public bool StripsRight { get; init; }

    internal static AddedToken Special(int id, string content) => new(id, content) { IsSpecial = true };

    internal void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject(Id.ToString(CultureInfo.InvariantCulture));
        json.WriteString("content", Content);
        json.WriteBoolean("lstrip", StripsLeft);
        json.WriteBoolean("normalized", IsNormalized);
        json.WriteBoolean("rstrip", StripsRight);
        json.WriteBoolean("single_word", IsSingleWord);
        json.WriteBoolean("special", IsSpecial);
        json.WriteEndObject();
    }
}

/// <summary>
/// The tokens that a checkpoint folder adds to its vocabulary, from the files that Hugging Face reads, in its order: tokenizer.json;
/// <c>added_tokens_decoder</c> of tokenizer_config.json, or where that is absent added_tokens.json and special_tokens_map.json.
/// </summary>
internal static class AddedTokenFiles
{
    public const string Legacy = "added_tokens.json";
    public const string SpecialTokens = "special_tokens_map.json";
    private const string Decoder = "added_tokens_decoder";
    private const string Additional = "additional_special_tokens";

    /// <summary>Whether tokenizer_config.json has the added tokens, so that the older files are not looked at.</summary>
    public static bool AreIn(JsonSettings? settings) => settings?.Find(Decoder) is not null;

    /// <summary>Adds a folder's tokens to the vocabulary.</summary>
    /// <exception cref="InvalidDataException">A file is broken, or an id belongs to another token or leaves a gap.</exception>
    public static Vocabulary AddTo(Vocabulary vocabulary, string folder)
    {
        using JsonSettings? whole = JsonSettings.ReadIfPresent(Path.Combine(folder, TokenizerJson.Name));
        using JsonSettings? settings = JsonSettings.ReadIfPresent(Path.Combine(folder, BertTokenizerOptions.FileName));
        if (whole is not null) vocabulary = Add(vocabulary, whole, FromTokenizerJson(whole));
        if (AreIn(settings)) vocabulary = Add(vocabulary, settings!, FromDecoder(settings!));
        string[] additional = settings is null ? [] : ListOf(settings);
        if (!AreIn(settings))
        {
            using JsonSettings? map = JsonSettings.ReadIfPresent(Path.Combine(folder, SpecialTokens));
            using JsonSettings? legacy = JsonSettings.ReadIfPresent(Path.Combine(folder, Legacy));
            if (map is not null) additional = [.. additional, .. ListOf(map)];
            if (legacy is not null) vocabulary = Add(vocabulary, legacy, FromLegacy(legacy, additional));
        }
        // Where no file gives them an id, they are in the vocabulary or come after it.
        foreach (string content in additional.Distinct().Except(vocabulary.Added.Select(token => token.Content)))
            vocabulary = vocabulary.With(AddedToken.Special(vocabulary.IdOf(content) ?? vocabulary.Tokens.Length, content));
        return vocabulary;
    }

    /// <summary>The entries of a tokenizer.json's <c>added_tokens</c>.</summary>
    public static IEnumerable<AddedToken> FromTokenizerJson(JsonSettings file)
    {
        if (file.Find("added_tokens") is not { ValueKind: JsonValueKind.Array } added) yield break;
        foreach (JsonElement token in added.EnumerateArray())
        {
            int? id = JsonSettings.Find(token, "id") is { ValueKind: JsonValueKind.Number } number
                && number.TryGetInt32(out int value) ? value : null;
            yield return Read(file, token, id);
        }
    }

    private static IEnumerable<AddedToken> FromDecoder(JsonSettings file)
    {
        if (file.Find(Decoder) is not { ValueKind: JsonValueKind.Object } added)
            throw file.Unexpected(Decoder, "an object of tokens by id");
        foreach (JsonProperty entry in added.EnumerateObject())
        {
            bool isId = int.TryParse(entry.Name, NumberStyles.None, CultureInfo.InvariantCulture, out int id);
            yield return Read(file, entry.Value, isId ? id : null);
        }
    }

    private static IEnumerable<AddedToken> FromLegacy(JsonSettings file, string[] special)
    {
        foreach (JsonProperty entry in file.Root.EnumerateObject())
        {
            if (entry.Value.ValueKind != JsonValueKind.Number || !entry.Value.TryGetInt32(out int id))
                throw new InvalidDataException(
                    $"{file.Path}: the id {entry.Value.GetRawText()} of the token \"{entry.Name}\" is not a number; fetch the "
                        + $"checkpoint again.");
            bool isSpecial = special.Contains(entry.Name);
            yield return new AddedToken(id, entry.Name) { IsSpecial = isSpecial, IsNormalized = !isSpecial };
        }
    }

    private static AddedToken Read(JsonSettings file, JsonElement token, int? id)
    {
        if (id is null || (JsonSettings.Find(token, "content") is { } content ? JsonSettings.Text(content) : null) is not { } text)
            throw new InvalidDataException(
                $"{file.Path}: the added token {token.GetRawText()} lacks an id or a content; fetch the checkpoint again.");
        bool isSpecial = JsonSettings.Flag(token, "special") ?? false;
        return new AddedToken(id.Value, text)
        {
            IsSpecial = isSpecial,
            IsNormalized = JsonSettings.Flag(token, "normalized") ?? !isSpecial,
            IsSingleWord = JsonSettings.Flag(token, "single_word") ?? false,
            StripsLeft = JsonSettings.Flag(token, "lstrip") ?? false,
            StripsRight = JsonSettings.Flag(token, "rstrip") ?? false,
        };
    }

    private static string[] ListOf(JsonSettings file) => file.Find(Additional) switch
    {
        null => [],
        { ValueKind: JsonValueKind.Array } list => [.. list.EnumerateArray().Select(each =>
            JsonSettings.Text(JsonSettings.Find(each, "content") ?? each) ?? throw file.Unexpected(Additional, "a list of tokens"))],
        _ => throw file.Unexpected(Additional, "a list of tokens"),
    };

    private static Vocabulary Add(Vocabulary vocabulary, JsonSettings file, IEnumerable<AddedToken> tokens)
    {
        foreach (AddedToken token in tokens.Where(token => token.Content.Length > 0).OrderBy(token => token.Id))
        {
            // The vocabulary's own id counts, as in the reference; a token of another file was there first.
            int id = vocabulary.IdOf(token.Content) ?? token.Id;
            if (id > vocabulary.Tokens.Length || id < 0)
                throw new InvalidDataException(
                    $"{file.Path}: the id {id} of the added token \"{token.Content}\" leaves a gap after the "
                        + $"{vocabulary.Tokens.Length} tokens of the vocabulary; take the vocabulary that belongs to it.");
            if (id < vocabulary.Tokens.Length && vocabulary.Tokens[id] != token.Content)
                throw new InvalidDataException(
                    $"{file.Path}: the id {id} of the added token \"{token.Content}\" belongs to \"{vocabulary.Tokens[id]}\"; take "
                        + $"the vocabulary that belongs to it.");
            if (vocabulary.Added.All(each => each.Content != token.Content)) vocabulary = vocabulary.With(token with { Id = id });
        }
        return vocabulary;
    }
}

/// <summary>The tokens by id, and which of them are found before a text is split.</summary>
/// <param name="Tokens">The token of each id.</param>
/// <param name="WordPieces">How many ids, from 0 on, are word pieces too; the ids after them are added tokens only.</param>
/// <param name="Added">The added tokens.</param>
internal sealed record Vocabulary(string[] Tokens, int WordPieces, IReadOnlyList<AddedToken> Added)
{
    private readonly Lazy<Dictionary<string, int>> ids = new(() =>
    {
        var ids = new Dictionary<string, int>(Tokens.Length, StringComparer.Ordinal);
        // Of equal tokens the last counts, as in the reference.
        for (int id = 0; id < Tokens.Length; id++) ids[Tokens[id]] = id;
        return ids;
    });

    public Vocabulary(string[] wordPieces) : this(wordPieces, wordPieces.Length, []) { }

    public int? IdOf(string token) => ids.Value.TryGetValue(token, out int id) ? id : null;

    /// <summary>With one added token more, of an id that is in the vocabulary or the next.</summary>
    public Vocabulary With(AddedToken token) => token.Id < Tokens.Length
        ? this with { Added = [.. Added, token] }
        : new Vocabulary([.. Tokens, token.Content], WordPieces, [.. Added, token]);
}
