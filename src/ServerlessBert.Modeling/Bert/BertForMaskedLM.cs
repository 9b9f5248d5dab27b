using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling.Bert;

/// <summary>
/// BERT that predicts the word pieces at masked positions (Devlin et al. 2018, arXiv:1810.04805, section 3.1). Fields carry
/// the checkpoint's names, those of Hugging Face's BertForMaskedLM; the pooler, which that one lacks, comes with the encoder.
/// </summary>
public sealed class BertForMaskedLM : nn.Module<Tensor, Tensor?, Tensor, Tensor>
{
    private readonly BertModel bert;
    private readonly BertOnlyMLMHead cls;
    private readonly bool ownsEncoder;

    /// <summary>A model with fresh weights, drawn from torch's global generator; do not construct it inside a dispose scope.</summary>
    /// <exception cref="ArgumentException">The configuration is not sound.</exception>
    public BertForMaskedLM(BertConfig config) : this(config, Validated(config), ownsEncoder: true) =>
        BertInitialization.Initialize(this, config);

    private BertForMaskedLM(BertConfig config, BertModel encoder, bool ownsEncoder) : base(nameof(BertForMaskedLM))
    {
        (Config, bert, this.ownsEncoder) = (config, encoder, ownsEncoder);
        cls = new BertOnlyMLMHead(config);
        RegisterComponents();
    }

    /// <summary>
    /// A fresh head over a classifier's own encoder: pretraining it pretrains the classifier. Disposing this model leaves
    /// the encoder alone. Do not call it inside a dispose scope.
    /// </summary>
    public static BertForMaskedLM Over(BertForSequenceClassification classifier)
    {
        var model = new BertForMaskedLM(classifier.Config, classifier.Encoder, ownsEncoder: false);
        BertInitialization.Initialize(model.cls, classifier.Config);
        return model;
    }

    /// <summary>The shape it was built with.</summary>
    public BertConfig Config { get; }

    /// <summary>The encoder below the head.</summary>
    public BertModel Encoder => bert;

    /// <summary>The number type of the linear products; null for that of the weights. See <see cref="BertLinear"/>.</summary>
    public ScalarType? ComputeDtype
    {
        set
        {
            foreach (BertLinear linear in modules().OfType<BertLinear>()) linear.ComputeDtype = value;
            cls.ComputeDtype = value;
        }
    }

    /// <summary>What pretraining changes, by name: everything but the pooler, which no masked token has anything to do with.</summary>
    public IEnumerable<(string Name, Parameter Parameter)> PretrainedParameters() =>
        named_parameters().Where(each => !each.name.StartsWith(BertShapes.Pooler, StringComparison.Ordinal));

    /// <summary>
    /// Sets the share that all dropouts of the encoder drop in training, null for the configuration's own, and the seed of their
    /// masks.
    /// </summary>
    internal void SetDropout(double? share, long seed = 0)
    {
        var mask = new DropoutMask((ulong)seed);
        foreach (BertDropout each in modules().OfType<BertDropout>()) (each.Probability, each.Mask) =
            (share ?? Config.HiddenDropoutProb, mask);
        foreach (BertSelfAttention each in modules().OfType<BertSelfAttention>()) each.DropoutProbability = share
            ?? Config.AttentionProbsDropoutProb;
    }

    /// <summary>
    /// Ids [batch, sequence] int64; mask [batch, sequence], null where nothing is padding; and the positions to predict,
    /// [batch, positions] int64 → logits [batch * positions, vocabulary]. Nothing is computed for the positions between them in
    /// the last layer and in the head, where most of a small model's work is.
    /// </summary>
    public override Tensor forward(Tensor inputIds, Tensor? attentionMask, Tensor positions)
    {
        using var hiddenStates = bert.HiddenStates(inputIds, attentionMask, tokenTypeIds: null, positions); // [batch, positions, hidden]
        return Logits(hiddenStates);                                                   // [batch * positions, vocabulary]
    }

    /// <summary>The head alone: last states [batch, positions, hidden] → logits [batch * positions, vocabulary].</summary>
    internal Tensor Logits(Tensor hiddenStates)
    {
        using var scope = NewDisposeScope();
        return cls.call(hiddenStates.flatten(0, 1), bert.WordEmbeddings).MoveToOuterDisposeScope(); // [batch * positions, vocabulary]
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (ownsEncoder) base.Dispose(disposing);
        else if (disposing) cls.Dispose();
    }

    private static BertModel Validated(BertConfig config) => config.ValidationErrors().ToList() is { Count: > 0 } faults
        ? throw new ArgumentException(string.Join(" ", faults), nameof(config))
        : new BertModel(config);
}

/// <summary>The head of a masked language model, under the name that checkpoints have for it: <c>cls.predictions</c>.</summary>
public sealed class BertOnlyMLMHead : nn.Module<Tensor, Tensor, Tensor>
{
    private readonly BertLMPredictionHead predictions;

    internal BertOnlyMLMHead(BertConfig config) : base(nameof(BertOnlyMLMHead))
    {
        predictions = new BertLMPredictionHead(config);
        RegisterComponents();
    }

    internal ScalarType? ComputeDtype { set => predictions.ComputeDtype = value; }

    /// <summary>States [rows, hidden] and the word embeddings [vocabulary, hidden] → logits [rows, vocabulary].</summary>
    public override Tensor forward(Tensor hidden, Tensor words) => predictions.call(hidden, words);
}

/// <summary>
/// Scores of every word piece for a state. The decoder's weights are the word embeddings (Press and Wolf 2017,
/// arXiv:1608.05859), as in BERT; only its bias is its own.
/// </summary>
public sealed class BertLMPredictionHead : nn.Module<Tensor, Tensor, Tensor>
{
    private readonly BertPredictionHeadTransform transform;
    private readonly Parameter bias;

    internal BertLMPredictionHead(BertConfig config) : base(nameof(BertLMPredictionHead))
    {
        transform = new BertPredictionHeadTransform(config);
        bias = new Parameter(zeros(config.VocabSize));
        RegisterComponents();
    }

    /// <summary>
    /// The number type of the product with the word embeddings; null for that of the weights. The scores are float32 either way.
    /// </summary>
    public ScalarType? ComputeDtype { get; set; }

    /// <summary>States [rows, hidden] and the word embeddings [vocabulary, hidden] → logits [rows, vocabulary].</summary>
    public override Tensor forward(Tensor hidden, Tensor words)
    {
        using var scope = NewDisposeScope();
        var transformed = transform.call(hidden.to(float32));                    // [rows, hidden]
        var scores = ComputeDtype is { } dtype && dtype != words.dtype
            ? nn.functional.linear(transformed.to(dtype), words.to(dtype)).to(float32).add(bias, HeldScalar.One) // [rows, vocabulary]
            : nn.functional.linear(transformed, words, bias);                    // [rows, vocabulary]
        return scores.MoveToOuterDisposeScope();
    }
}

/// <summary>The layer before the masked language model's decoder: linear, activation, LayerNorm.</summary>
public sealed class BertPredictionHeadTransform : nn.Module<Tensor, Tensor>
{
    private readonly Linear dense;
    private readonly LayerNorm LayerNorm;
    private readonly Func<Tensor, Tensor> activation;

    internal BertPredictionHeadTransform(BertConfig config) : base(nameof(BertPredictionHeadTransform))
    {
        dense = Uninitialized.Linear(config.HiddenSize, config.HiddenSize);
        LayerNorm = Uninitialized.LayerNorm(config);
        activation = Activation.Of(config.HiddenAct);
        RegisterComponents();
    }

    /// <summary>[…, hidden] → […, hidden].</summary>
    public override Tensor forward(Tensor hidden)
    {
        using var scope = NewDisposeScope();
        return LayerNorm.call(activation(dense.call(hidden))).MoveToOuterDisposeScope();
    }
}
