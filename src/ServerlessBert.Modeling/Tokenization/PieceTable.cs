namespace ServerlessBert.Modeling;

/// <summary>The tokens of a vocabulary in training, by id and by text.</summary>
internal sealed class PieceTable
{
    private readonly List<string> tokens = [];
    private readonly Dictionary<string, int> ids = new(StringComparer.Ordinal);

    public PieceTable(IEnumerable<string> specialTokens)
    {
        foreach (string token in specialTokens) Add(token);
    }

    public IReadOnlyList<string> Tokens => tokens;

    public int Count => tokens.Count;

    public int IdOf(string token) => ids[token];

    /// <summary>The id of a token, a new one where it is new: "ab" + "##c" and "a" + "##bc" are one token.</summary>
    public int Add(string token)
    {
        if (ids.TryAdd(token, tokens.Count)) tokens.Add(token);
        return ids[token];
    }

    /// <summary>Adds what two neighbouring pieces spell together.</summary>
    public int Join(int left, int right) => Add(tokens[left] + tokens[right][BertTokenizer.ContinuationPrefix.Length..]);
}
