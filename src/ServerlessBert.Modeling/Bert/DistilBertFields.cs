using System.Text.Json.Nodes;

namespace ServerlessBert.Modeling;

/// <summary>
/// DistilBERT's config.json (Sanh et al. 2019, arXiv:1910.01108) under BERT's names and back: it is a BERT without token
/// types, whose pooler is called pre_classifier and ends in ReLU.
/// </summary>
internal static class DistilBertFields
{
    // Hugging Face's DistilBertConfig: BERT's name, its own, and its default.
    private static readonly (string Bert, string DistilBert, JsonValue Default)[] Names =
    [
        ("hidden_size", "dim", JsonValue.Create(768)),
        ("num_hidden_layers", "n_layers", JsonValue.Create(6)),
        ("num_attention_heads", "n_heads", JsonValue.Create(12)),
        ("intermediate_size", "hidden_dim", JsonValue.Create(3072)),
        ("hidden_act", "activation", JsonValue.Create("gelu")),
        ("hidden_dropout_prob", "dropout", JsonValue.Create(0.1)),
        ("attention_probs_dropout_prob", "attention_dropout", JsonValue.Create(0.1)),
        ("classifier_dropout", "seq_classif_dropout", JsonValue.Create(0.2)),
    ];

    // What BERT chooses and DistilBERT fixes.
    private static readonly (string Name, JsonValue Value)[] Fixed =
        [("type_vocab_size", JsonValue.Create(0)), ("layer_norm_eps", JsonValue.Create(1e-12))];

    public static void ToBert(JsonObject fields)
    {
        foreach (var (bert, distilBert, value) in Names)
        {
            fields[bert] = (fields[distilBert] ?? value).DeepClone();
            fields.Remove(distilBert);
        }
        foreach (var (name, value) in Fixed) fields[name] = value.DeepClone();
    }

    public static void ToDistilBert(JsonObject fields)
    {
        foreach (var (bert, distilBert, value) in Names)
        {
            fields[distilBert] = (fields[bert] ?? value).DeepClone();
            fields.Remove(bert);
        }
        foreach (var (name, _) in Fixed) fields.Remove(name);
    }
}
