using System.Text.Json;
using System.Text.Json.Serialization;

namespace ServerlessBert.Modeling.Bert;

/// <summary>
/// config.json of a BERT checkpoint, under Hugging Face's names; the defaults are those of Hugging Face's BertConfig,
/// but for the labels, which are the five stars of a review.
/// </summary>
public sealed partial record BertConfig
{
    private static readonly IReadOnlyDictionary<int, string> Stars = new Dictionary<int, string>
    {
        [0] = "1 star",
        [1] = "2 stars",
        [2] = "3 stars",
        [3] = "4 stars",
        [4] = "5 stars",
    };

    /// <summary>The class that the weights belong to.</summary>
    public IReadOnlyList<string> Architectures { get; init; } = ["BertForSequenceClassification"];

    /// <summary>The family: <c>bert</c>. A DistilBERT is read as the BERT that it is; see <see cref="PoolerAct"/>.</summary>
    public string ModelType { get; init; } = "bert";

    /// <summary>Rows of the word embedding.</summary>
    public int VocabSize { get; init; } = 30522;

    /// <summary>Width of the residual stream.</summary>
    public int HiddenSize { get; init; } = 768;

    /// <summary>Encoder layers.</summary>
    public int NumHiddenLayers { get; init; } = 12;

    /// <summary>Heads of each self-attention; divides <see cref="HiddenSize"/>.</summary>
    public int NumAttentionHeads { get; init; } = 12;

    /// <summary>Width of the feed-forward layer.</summary>
    public int IntermediateSize { get; init; } = 3072;

    /// <summary>
    /// The feed-forward activation: <c>gelu</c> (exact, by erf), <c>gelu_new</c> (its tanh approximation) or <c>relu</c>.
    /// </summary>
    public string HiddenAct { get; init; } = "gelu";

    /// <summary>Dropout after embeddings and after each sub-layer, in training.</summary>
    public double HiddenDropoutProb { get; init; } = 0.1;

    /// <summary>Dropout of attention probabilities, in training.</summary>
    public double AttentionProbsDropoutProb { get; init; } = 0.1;

    /// <summary>Longest sequence, in tokens.</summary>
    public int MaxPositionEmbeddings { get; init; } = 512;

    /// <summary>Rows of the token type embedding; 0 for a model without one (DistilBERT).</summary>
    public int TypeVocabSize { get; init; } = 2;

    /// <summary>Standard deviation of fresh weights.</summary>
    public double InitializerRange { get; init; } = 0.02;

    /// <summary>Epsilon of every LayerNorm.</summary>
    public double LayerNormEps { get; init; } = 1e-12;

    /// <summary>The padding token's id, whose embedding is not trained by look-ups; null for none.</summary>
    public int? PadTokenId { get; init; } = 0;

    /// <summary>Dropout before the classifier; null takes <see cref="HiddenDropoutProb"/>.</summary>
    public double? ClassifierDropout { get; init; }

    /// <summary>Null or <c>single_label_classification</c>; regression and multi-label models are refused.</summary>
    public string? ProblemType { get; init; }

    /// <summary>The labels' names by index, dense from 0.</summary>
    [JsonPropertyName("id2label")]
    public IReadOnlyDictionary<int, string> Id2Label { get; init; } = Stars;

    /// <summary>The inverse of <see cref="Id2Label"/>; written for Hugging Face, never read.</summary>
    [JsonPropertyName("label2id")]
    public IReadOnlyDictionary<string, int> Label2Id =>
        Id2Label.GroupBy(pair => pair.Value).ToDictionary(names => names.Key, names => names.Min(pair => pair.Key));

    /// <summary>
    /// The number type of the saved weights, as PyTorch names it (<c>float32</c>); a remark, loading looks at the weights.
    /// </summary>
    [JsonPropertyName("torch_dtype")]
    public string? TorchDtype { get; init; }

    /// <summary>Fields that this record has no name for; they survive loading and saving.</summary>
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? OtherFields { get; init; }

    /// <summary>The number of labels.</summary>
    [JsonIgnore]
    public int NumLabels => Id2Label.Count;

    /// <summary>Whether labels were given, rather than left at the five stars.</summary>
    [JsonIgnore]
    public bool HasOwnLabels => !ReferenceEquals(Id2Label, Stars);

    /// <summary>Width of a head.</summary>
    [JsonIgnore]
    public int HeadSize => HiddenSize / NumAttentionHeads;

    /// <summary>
    /// The pooler's activation: <c>tanh</c>, or DistilBERT's <c>relu</c> (its pre_classifier is a pooler by another name).
    /// </summary>
    [JsonIgnore]
    public string PoolerAct => IsDistilled ? "relu" : "tanh";

    /// <summary>Whether this is a DistilBERT: no token types, the pooler with ReLU, other names on disk.</summary>
    [JsonIgnore]
    public bool IsDistilled => ModelType == "distilbert";

    /// <summary>
    /// The presets' shapes: tiny, mini, small and base of Turc et al. (2019), "Well-Read Students Learn Better",
    /// arXiv:1908.08962: heads of 64, a feed-forward layer four times as wide.
    /// </summary>
    /// <exception cref="ArgumentException">An unknown name, or a vocabulary without tokens.</exception>
    public static BertConfig Preset(string name, int vocabularySize)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(vocabularySize, 1);
        var (layers, hidden) = name switch
        {
            "tiny" => (2, 128),
            "mini" => (4, 256),
            "small" => (4, 512),
            "base" => (12, 768),
            _ => throw new ArgumentException($"There is no preset '{name}'; choose tiny, mini, small or base.", nameof(name)),
        };
        return new BertConfig
        {
            VocabSize = vocabularySize,
            NumHiddenLayers = layers,
            HiddenSize = hidden,
            NumAttentionHeads = hidden / 64,
            IntermediateSize = 4 * hidden,
        };
    }
}
