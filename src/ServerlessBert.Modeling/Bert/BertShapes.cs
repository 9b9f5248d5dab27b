namespace ServerlessBert.Modeling.Bert;

/// <summary>The keys and shapes that a configuration's model has, known before any memory is taken for it.</summary>
internal static class BertShapes
{
    public const string Classifier = "classifier.";
    public const string Pooler = "bert.pooler.";

    /// <summary>Every key of BertForSequenceClassification with its shape.</summary>
    public static Dictionary<string, long[]> Of(BertConfig config) => new(
    [
        .. Embeddings(config),
        .. Enumerable.Range(0, config.NumHiddenLayers).SelectMany(layer => Layer($"bert.encoder.layer.{layer}", config)),
        .. Linear("bert.pooler.dense", config.HiddenSize, config.HiddenSize),
        .. Linear("classifier", config.HiddenSize, config.NumLabels),
    ]);

    private static IEnumerable<KeyValuePair<string, long[]>> Embeddings(BertConfig config)
    {
        yield return new("bert.embeddings.word_embeddings.weight", [config.VocabSize, config.HiddenSize]);
        yield return new("bert.embeddings.position_embeddings.weight", [config.MaxPositionEmbeddings, config.HiddenSize]);
        if (config.TypeVocabSize > 0)
            yield return new("bert.embeddings.token_type_embeddings.weight", [config.TypeVocabSize, config.HiddenSize]);
        foreach (var each in Norm("bert.embeddings.LayerNorm", config)) yield return each;
    }

    private static IEnumerable<KeyValuePair<string, long[]>> Layer(string prefix, BertConfig config) =>
    [
        .. Linear($"{prefix}.attention.self.query", config.HiddenSize, config.HiddenSize),
        .. Linear($"{prefix}.attention.self.key", config.HiddenSize, config.HiddenSize),
        .. Linear($"{prefix}.attention.self.value", config.HiddenSize, config.HiddenSize),
        .. Linear($"{prefix}.attention.output.dense", config.HiddenSize, config.HiddenSize),
        .. Norm($"{prefix}.attention.output.LayerNorm", config),
        .. Linear($"{prefix}.intermediate.dense", config.HiddenSize, config.IntermediateSize),
        .. Linear($"{prefix}.output.dense", config.IntermediateSize, config.HiddenSize),
        .. Norm($"{prefix}.output.LayerNorm", config),
    ];

    private static IEnumerable<KeyValuePair<string, long[]>> Linear(string prefix, int inputs, int outputs) =>
        [new($"{prefix}.weight", [outputs, inputs]), new($"{prefix}.bias", [outputs])];

    private static IEnumerable<KeyValuePair<string, long[]>> Norm(string prefix, BertConfig config) =>
        [new($"{prefix}.weight", [config.HiddenSize]), new($"{prefix}.bias", [config.HiddenSize])];
}
