namespace ServerlessBert.Modeling;

/// <summary>The reference BertTokenizer's ids over Microsoft.ML.Tokenizers' WordPiece.</summary>
public sealed class BertTokenizer
{
    /// <summary>Loads vocab.txt (or tokenizer.json) and tokenizer_config.json of a checkpoint folder.</summary>
    public static BertTokenizer FromFolder(string folder) => throw new NotImplementedException();
}
