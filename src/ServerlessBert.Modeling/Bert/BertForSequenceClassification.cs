using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling;

/// <summary>
/// BERT with a linear classifier over the pooled first token. Fields carry the checkpoint's names, so that
/// <c>state_dict</c> has exactly the keys of Hugging Face's BertForSequenceClassification.
/// </summary>
public sealed class BertForSequenceClassification : nn.Module<Tensor, Tensor?, Tensor?, Tensor>
{
    private readonly BertModel bert;
    private readonly BertDropout dropout;
    private readonly Linear classifier;

    /// <summary>A model with fresh weights, drawn from torch's global generator; do not construct it inside a dispose scope.</summary>
    /// <exception cref="ArgumentException">The configuration is not sound.</exception>
    public BertForSequenceClassification(BertConfig config) : this(config, initialize: true) { }

    private BertForSequenceClassification(BertConfig config, bool initialize) : base(nameof(BertForSequenceClassification))
    {
        if (config.Faults().ToList() is { Count: > 0 } faults)
            throw new ArgumentException(string.Join(" ", faults), nameof(config));
        Config = config;
        bert = new BertModel(config);
        dropout = new BertDropout(config.ClassifierDropout ?? config.HiddenDropoutProb);
        classifier = Blank.Linear(config.HiddenSize, config.NumLabels);
        RegisterComponents();
        SeedDropout(seed: 0);
        if (initialize) BertInitialization.Initialize(this, config);
    }

    /// <summary>A model whose weights are undefined memory, for a caller that writes every one of them.</summary>
    internal static BertForSequenceClassification WithoutWeights(BertConfig config) => new(config, initialize: false);

    /// <summary>The shape it was built with.</summary>
    public BertConfig Config { get; }

    /// <summary>The encoder below the classifier.</summary>
    public BertModel Encoder => bert;

    /// <summary>The number type of the encoder's linear products; null for that of the weights. See <see cref="BertLinear"/>.</summary>
    public ScalarType? ComputeDtype
    {
        set { foreach (BertLinear linear in modules().OfType<BertLinear>()) linear.ComputeDtype = value; }
    }

    /// <summary>Makes the dropouts' masks on the CPU a function of a seed and of the order of calls.</summary>
    public void SeedDropout(long seed)
    {
        var mask = new DropoutMask((ulong)seed);
        foreach (BertDropout dropout in modules().OfType<BertDropout>()) dropout.Mask = mask;
    }

    /// <summary>Sets the shares that training drops, each null for the configuration's own.</summary>
    /// <param name="hidden">After the embeddings and after each sub-layer.</param>
    /// <param name="attention">Of attention probabilities.</param>
    /// <param name="classifierInput">Before the classifier.</param>
    internal void SetDropout(double? hidden = null, double? attention = null, double? classifierInput = null)
    {
        foreach (BertDropout each in modules().OfType<BertDropout>()) each.Probability = hidden ?? Config.HiddenDropoutProb;
        foreach (BertSelfAttention each in modules().OfType<BertSelfAttention>()) each.DropoutProbability = attention ?? Config.AttentionProbsDropoutProb;
        dropout.Probability = classifierInput ?? Config.ClassifierDropout ?? hidden ?? Config.HiddenDropoutProb;
    }

    /// <summary>
    /// Ids [batch, sequence] int64; mask [batch, sequence] int64 or bool, 1 for real tokens, null where nothing is
    /// padding; token types [batch, sequence] int64, null where all are 0 → logits [batch, labels].
    /// </summary>
    /// <exception cref="ArgumentException">The sequence is longer than max_position_embeddings.</exception>
    public override Tensor forward(Tensor inputIds, Tensor? attentionMask = null, Tensor? tokenTypeIds = null)
    {
        using var pooled = bert.Pooled(inputIds, attentionMask, tokenTypeIds);   // [batch, hidden]
        using var dropped = dropout.call(pooled);                                // [batch, hidden]
        return classifier.call(dropped);                                         // [batch, labels]
    }
}
