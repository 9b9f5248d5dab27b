using System.Text.RegularExpressions;

namespace ServerlessBert.Modeling.Checkpoints;

/// <summary>
/// The names that BERT's tensors have in the folders of the hub, and the one that BertForSequenceClassification gives
/// them here: with or without <c>bert.</c>, TensorFlow's gamma and beta, DistilBERT's own.
/// </summary>
internal static partial class WeightNames
{
    // DistilBERT's and BERT's, within one layer.
    private static readonly (string DistilBert, string Bert)[] LayerNames =
    [
        ("attention.q_lin.", "attention.self.query."), ("attention.k_lin.", "attention.self.key."),
        ("attention.v_lin.", "attention.self.value."), ("attention.out_lin.", "attention.output.dense."),
        ("sa_layer_norm.", "attention.output.LayerNorm."), ("ffn.lin1.", "intermediate.dense."),
        ("ffn.lin2.", "output.dense."), ("output_layer_norm.", "output.LayerNorm."),
    ];

    // DistilBERT's and BERT's, of the masked language model's head.
    private static readonly (string DistilBert, string Bert)[] HeadNames =
    [
        ("vocab_transform.", "cls.predictions.transform.dense."), ("vocab_layer_norm.", "cls.predictions.transform.LayerNorm."),
        ("vocab_projector.weight", "cls.predictions.decoder.weight"), ("vocab_projector.bias", "cls.predictions.bias"),
    ];

    /// <summary>The key of the module tree for a key of a file.</summary>
    public static string ToBert(string key, bool isDistilled)
    {
        if (key.EndsWith("LayerNorm.gamma", StringComparison.Ordinal)) key = key[..^"gamma".Length] + "weight";
        if (key.EndsWith("LayerNorm.beta", StringComparison.Ordinal)) key = key[..^"beta".Length] + "bias";
        if (isDistilled) key = FromDistilBert(key);
        return BareEncoder().IsMatch(key) ? "bert." + key : key;
    }

    /// <summary>The key that Hugging Face's DistilBertForSequenceClassification has for a key of the module tree.</summary>
    public static string ToDistilBert(string key)
    {
        if (key.StartsWith("bert.pooler.dense.", StringComparison.Ordinal)) return key.Replace("bert.pooler.dense.", "pre_classifier.");
        if (!key.StartsWith("bert.", StringComparison.Ordinal))
            return WithPrefixOf(HeadNames.Select(name => (name.Bert, name.DistilBert)), key);
        key = key.Replace("bert.encoder.layer.", "bert.transformer.layer.");
        return "distil" + RenameInLayer(key, name => (name.Bert, name.DistilBert));
    }

    /// <summary>Buffers that hold no weights, such as the row of position ids that older versions saved.</summary>
    public static bool IsBuffer(string key) =>
        key.EndsWith(".position_ids", StringComparison.Ordinal) || key.EndsWith(".token_type_ids", StringComparison.Ordinal);

    /// <summary>Weights of a pretraining head, which a classifier does not use.</summary>
    public static bool IsPretrainingHead(string key) => key.StartsWith("cls.", StringComparison.Ordinal);

    private static string FromDistilBert(string key)
    {
        if (key.StartsWith("pre_classifier.", StringComparison.Ordinal)) return key.Replace("pre_classifier.", "bert.pooler.dense.");
        if (key.StartsWith("distilbert.", StringComparison.Ordinal)) key = key["distil".Length..];
        if (key.StartsWith("transformer.", StringComparison.Ordinal)) key = "bert." + key;
        key = key.Replace("bert.transformer.layer.", "bert.encoder.layer.");
        key = WithPrefixOf(HeadNames, key);
        return RenameInLayer(key, name => (name.DistilBert, name.Bert));
    }

    private static string WithPrefixOf(IEnumerable<(string From, string To)> names, string key)
    {
        foreach (var (from, to) in names)
            if (key.StartsWith(from, StringComparison.Ordinal)) return to + key[from.Length..];
        return key;
    }

    private static string RenameInLayer(string key, Func<(string DistilBert, string Bert), (string From, string To)> direction)
    {
        if (InLayer().Match(key) is not { Success: true } layer) return key;
        string rest = key[layer.Length..];
        return layer.Value + WithPrefixOf(LayerNames.Select(direction), rest);
    }

    [GeneratedRegex("^(embeddings|encoder|pooler)\\.")]
    private static partial Regex BareEncoder();

    [GeneratedRegex("^bert\\.(encoder|transformer)\\.layer\\.[0-9]+\\.")]
    private static partial Regex InLayer();
}
