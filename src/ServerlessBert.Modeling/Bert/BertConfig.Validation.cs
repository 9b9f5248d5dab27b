using System.Text.Json;

namespace ServerlessBert.Modeling.Bert;

public sealed partial record BertConfig
{
    // Far above any BERT; keeps a malformed file from asking for absurd amounts of memory.
    private const int MostLayers = 1000;
    private const int MostLabels = 100_000;
    private const int LargestSize = 1 << 24;

    /// <summary>What makes this configuration unusable, a sentence each; empty when it is sound.</summary>
    public IEnumerable<string> ValidationErrors()
    {
        if (ModelType is not ("bert" or "distilbert"))
            yield return $"model_type is '{ModelType}'; only bert and distilbert can be read.";
        foreach (var (name, value) in Sizes())
            if (value < 1 || value > LargestSize) yield return $"{name} is {value}; it must be from 1 to {LargestSize}.";
        if (NumHiddenLayers > MostLayers)
            yield return $"num_hidden_layers is {NumHiddenLayers}; more than {MostLayers} cannot be read.";
        if (NumAttentionHeads > 0 && HiddenSize % NumAttentionHeads != 0)
            yield return $"hidden_size {HiddenSize} is not a multiple of num_attention_heads {NumAttentionHeads}.";
        if (TypeVocabSize is < 0 or > LargestSize)
            yield return $"type_vocab_size is {TypeVocabSize}; it must be from 0 to {LargestSize}.";
        if (PadTokenId is { } pad && (pad < 0 || pad >= VocabSize))
            yield return $"pad_token_id {pad} is outside of the vocabulary of {VocabSize}.";
        if (!Activation.IsKnown(HiddenAct))
            yield return $"hidden_act is '{HiddenAct}'; only {Activation.Names} are known.";
        foreach (var (name, value) in Probabilities())
            if (!(value >= 0 && value < 1)) yield return $"{name} is {value}; it must be at least 0 and below 1.";
        if (!(LayerNormEps > 0 && double.IsFinite(LayerNormEps)))
            yield return $"layer_norm_eps is {LayerNormEps}; it must be positive.";
        if (!(InitializerRange >= 0 && double.IsFinite(InitializerRange)))
            yield return $"initializer_range is {InitializerRange}; it must not be negative.";
        foreach (string fault in LabelErrors()) yield return fault;
        foreach (string fault in OtherErrors()) yield return fault;
    }

    private IEnumerable<(string Name, long Value)> Sizes() =>
    [
        ("vocab_size", VocabSize), ("hidden_size", HiddenSize), ("num_hidden_layers", NumHiddenLayers),
        ("num_attention_heads", NumAttentionHeads), ("intermediate_size", IntermediateSize),
        ("max_position_embeddings", MaxPositionEmbeddings),
    ];

    private IEnumerable<(string Name, double Value)> Probabilities() =>
    [
        ("hidden_dropout_prob", HiddenDropoutProb), ("attention_probs_dropout_prob", AttentionProbsDropoutProb),
        ("classifier_dropout", ClassifierDropout ?? 0),
    ];

    private IEnumerable<string> LabelErrors()
    {
        if (ProblemType is not (null or "single_label_classification"))
            yield return $"problem_type is '{ProblemType}'; only single_label_classification can be read.";
        if (NumLabels is < 2 or > MostLabels)
            yield return $"id2label has {NumLabels} labels; a classifier needs from 2 to {MostLabels} (one is a regression).";
        if (Enumerable.Range(0, NumLabels).Any(index => !Id2Label.ContainsKey(index)))
            yield return $"id2label must name the labels 0 to {NumLabels - 1}, each once.";
    }

    // Variants of BERT that these modules do not compute: silently wrong numbers if let through.
    private IEnumerable<string> OtherErrors()
    {
        if (OtherFields is null) yield break;
        if (OtherFields.TryGetValue("position_embedding_type", out var kind) && kind.ToString() is not ("absolute" or ""))
            yield return $"position_embedding_type is '{kind}'; only absolute positions can be read.";
        foreach (string name in (string[])["is_decoder", "add_cross_attention"])
            if (OtherFields.TryGetValue(name, out var value) && value.ValueKind == JsonValueKind.True)
                yield return $"{name} is true; only encoders can be read.";
    }
}
