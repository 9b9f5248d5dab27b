using System.Text.Json;
using System.Text.Json.Nodes;

namespace ServerlessBert.Modeling.Bert;

public sealed partial record BertConfig
{
    private const string FileName = "config.json";

    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        WriteIndented = true,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Reads config.json of a BERT or DistilBERT checkpoint.</summary>
    /// <exception cref="CheckpointException">The file is missing, is not JSON, or is not sound; every fault is named.</exception>
    public static BertConfig Load(string folderOrFile)
    {
        string path = Directory.Exists(folderOrFile) ? Path.Combine(folderOrFile, FileName) : folderOrFile;
        if (!File.Exists(path))
            throw new CheckpointException($"{path} does not exist; a checkpoint folder needs a {FileName}.");
        var config = Parse(path);
        if (config.ValidationErrors().ToList() is { Count: > 0 } faults)
            throw new CheckpointException($"{path}: {string.Join(" ", faults)}");
        return config;
    }

    /// <summary>Writes config.json, creating the folder.</summary>
    /// <param name="folder">The checkpoint folder.</param>
    /// <param name="task">What follows <c>Bert</c> in the name of the model's class: a sequence classifier, unless it is said.</param>
    public void Save(string folder, string task = "ForSequenceClassification")
    {
        Directory.CreateDirectory(folder);
        string architecture = (IsDistilled ? "DistilBert" : "Bert") + task;
        var fields = JsonSerializer.SerializeToNode(this with { Architectures = [architecture] }, Json)!.AsObject();
        foreach (string name in NullFields(fields)) fields.Remove(name);
        if (IsDistilled) DistilBertFields.ToDistilBert(fields);
        File.WriteAllText(Path.Combine(folder, FileName), fields.ToJsonString(Json) + "\n");
    }

    private static BertConfig Parse(string path)
    {
        try
        {
            var fields = JsonNode.Parse(File.ReadAllText(path)) as JsonObject
                ?? throw new CheckpointException($"{path} holds no JSON object.");
            foreach (string name in NullFields(fields)) fields.Remove(name);
            if ((string?)fields["model_type"] == "distilbert") DistilBertFields.ToBert(fields);
            NameCountedLabels(fields);
            NameLabelsByText(fields);
            return fields.Deserialize<BertConfig>(Json)!;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or ArgumentException or FormatException)
        {
            throw new CheckpointException($"{path} cannot be read: {exception.Message}", exception);
        }
    }

    // Hugging Face's null means "as the default", except that a model may be without a padding token.
    private static List<string> NullFields(JsonObject fields) =>
        [.. fields.Where(field => field.Value is null && field.Key != "pad_token_id").Select(field => field.Key)];

    // num_labels without id2label is how older configurations count labels that have no names.
    private static void NameCountedLabels(JsonObject fields)
    {
        var count = fields["num_labels"] ?? fields["_num_labels"];
        fields.Remove("num_labels");
        fields.Remove("_num_labels");
        if (count is null || fields.ContainsKey("id2label")) return;
        fields["id2label"] = JsonSerializer.SerializeToNode(NumberedLabels((int)count));
    }

    // Hugging Face takes any value for a name: a number is the text that it is written as.
    private static void NameLabelsByText(JsonObject fields)
    {
        if (fields["id2label"] is not JsonObject names) return;
        foreach (var (index, name) in names.ToList())
            if (name is not null && name.GetValueKind() is JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False) names[
                index] = name.ToJsonString();
    }

    /// <summary>The names that Hugging Face gives to labels without names: LABEL_0, LABEL_1, …</summary>
    internal static Dictionary<int, string> NumberedLabels(int count) =>
        Enumerable.Range(0, Math.Clamp(count, 0, MostLabels + 1)).ToDictionary(index => index, index => $"LABEL_{index}");
}

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
