using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling.Bert;

/// <summary>Word, position and token type embeddings, summed and normalised.</summary>
public sealed class BertEmbeddings : nn.Module<Tensor, Tensor?, Tensor>
{
    private readonly Embedding word_embeddings;
    private readonly Embedding position_embeddings;
    private readonly Embedding? token_type_embeddings;
    private readonly LayerNorm LayerNorm;
    private readonly BertDropout dropout;
    private readonly long positions;

    internal BertEmbeddings(BertConfig config) : base(nameof(BertEmbeddings))
    {
        word_embeddings = Uninitialized.Embedding(config.VocabSize, config.HiddenSize, config.PadTokenId);
        position_embeddings = Uninitialized.Embedding(config.MaxPositionEmbeddings, config.HiddenSize);
        if (config.TypeVocabSize > 0) token_type_embeddings = Uninitialized.Embedding(config.TypeVocabSize, config.HiddenSize);
        LayerNorm = Uninitialized.LayerNorm(config);
        dropout = new BertDropout(config.HiddenDropoutProb);
        positions = config.MaxPositionEmbeddings;
        RegisterComponents();
    }

    /// <summary>Token ids and, unless all are 0, token types, both [batch, sequence] → [batch, sequence, hidden].</summary>
    /// <exception cref="ArgumentException">The sequence is longer than max_position_embeddings.</exception>
    public override Tensor forward(Tensor inputIds, Tensor? tokenTypeIds)
    {
        long length = inputIds.size(1);
        if (length > positions)
            throw new ArgumentException($"A sequence of {length} tokens is longer than the model's {positions} positions; truncate it.");
        using var scope = NewDisposeScope();
        using Scalar end = length;
        var position = arange(HeldScalar.Zero, end, HeldScalar.One, int64, inputIds.device); // [sequence]
        var sum = word_embeddings.call(inputIds);                                // [batch, sequence, hidden]
        if (token_type_embeddings is not null)
            sum = sum.add(token_type_embeddings.call(tokenTypeIds ?? zeros_like(position)), HeldScalar.One); // [batch, sequence, hidden]
        sum = sum.add(position_embeddings.call(position), HeldScalar.One);       // [batch, sequence, hidden]
        return dropout.call(LayerNorm.call(sum)).MoveToOuterDisposeScope();
    }

    /// <summary>The word embeddings, [vocabulary, hidden]: a new name for the same memory and gradient at each call.</summary>
    internal Tensor WordEmbeddings => word_embeddings.weight!;

    // In place and not through Embedding.weight, whose wrapper is made anew at each get.
    internal void Initialize(BertConfig config)
    {
        foreach (var (name, weight) in named_parameters())
            if (name.EndsWith("_embeddings.weight", StringComparison.Ordinal))
                nn.init.normal_(weight, 0, config.InitializerRange);
        if (config.PadTokenId is not { } padding) return;
        using var words = word_embeddings.weight!;
        using var row = words[padding];
        nn.init.zeros_(row);
    }
}

/// <summary>Multi-head scaled dot-product attention (Vaswani et al. 2017, arXiv:1706.03762, section 3.2).</summary>
public sealed class BertSelfAttention : nn.Module<Tensor, Tensor, Tensor?, Tensor>
{
    private readonly BertLinear query;
    private readonly BertLinear key;
    private readonly BertLinear value;
    private readonly int heads;
    private readonly int headSize;
    private readonly BertDropout dropout;

    internal BertSelfAttention(BertConfig config) : base(nameof(BertSelfAttention))
    {
        query = new BertLinear(config.HiddenSize, config.HiddenSize);
        key = new BertLinear(config.HiddenSize, config.HiddenSize);
        value = new BertLinear(config.HiddenSize, config.HiddenSize);
        heads = config.NumAttentionHeads;
        headSize = config.HeadSize;
        dropout = new BertDropout(config.AttentionProbsDropoutProb);
        RegisterComponents();
    }

    /// <summary>The share of attention probabilities that is dropped in training.</summary>
    internal double DropoutProbability { set => dropout.Probability = value; }

    /// <summary>
    /// The query states, [batch, queries, hidden]; all states, [batch, sequence, hidden]; and what to add to the scores
    /// ([batch, 1, 1, sequence], or null where nothing is padding) → contexts [batch, queries, hidden].
    /// </summary>
    public override Tensor forward(Tensor queryStates, Tensor hidden, Tensor? bias)
    {
        using var scope = NewDisposeScope();
        var q = SplitHeads(query.call(queryStates));                                  // [batch, heads, queries, head]
        var k = SplitHeads(key.call(hidden));                                    // [batch, heads, sequence, head]
        var v = SplitHeads(value.call(hidden));                                  // [batch, heads, sequence, head]
        var context = hidden.device_type == DeviceType.CPU ? Explicit(q, k, v, bias) : Fused(q, k, v, bias);
        return context.transpose(1, 2).flatten(2)                                // [batch, queries, hidden]
            .MoveToOuterDisposeScope();
    }

    private Tensor SplitHeads(Tensor projected) => projected.unflatten(2, heads, headSize).transpose(1, 2);

    // On a CPU the fused kernel does not take dropout, and in bfloat16 it is slower than these three operations.
    internal Tensor Explicit(Tensor q, Tensor k, Tensor v, Tensor? bias)
    {
        using Scalar scale = 1 / Math.Sqrt(headSize);
        var scores = Product(q, k.transpose(-2, -1)).mul_(scale);                // [batch, heads, queries, sequence]
        if (bias is not null) scores.add_(bias, HeldScalar.One);
        var probabilities = nn.functional.softmax(scores, -1);                   // [batch, heads, queries, sequence]
        return Product(dropout.call(probabilities), v);                          // [batch, heads, queries, head]
    }

    // Not matmul, which does just this: TorchSharp catches no error of matmul, and a want of memory would end the process.
    private static Tensor Product(Tensor left, Tensor right) =>
        left.flatten(0, 1).bmm(right.flatten(0, 1)).view(left.size(0), left.size(1), left.size(2), right.size(3));

    internal Tensor Fused(Tensor q, Tensor k, Tensor v, Tensor? bias) =>
        nn.functional.scaled_dot_product_attention(q, k, v, bias, training ? dropout.Probability : 0);
}

/// <summary>The projection after self-attention, its dropout, residual and LayerNorm.</summary>
public sealed class BertSelfOutput : nn.Module<Tensor, Tensor, Tensor>
{
    private readonly BertLinear dense;
    private readonly LayerNorm LayerNorm;
    private readonly BertDropout dropout;

    internal BertSelfOutput(BertConfig config) : base(nameof(BertSelfOutput))
    {
        dense = new BertLinear(config.HiddenSize, config.HiddenSize);
        LayerNorm = Uninitialized.LayerNorm(config);
        dropout = new BertDropout(config.HiddenDropoutProb);
        RegisterComponents();
    }

    /// <summary>Contexts and the residual, both [batch, sequence, hidden] → [batch, sequence, hidden].</summary>
    public override Tensor forward(Tensor context, Tensor residual)
    {
        using var scope = NewDisposeScope();
        var projected = dropout.call(dense.call(context));                       // [batch, sequence, hidden]
        return LayerNorm.call(projected.add(residual, HeldScalar.One)).MoveToOuterDisposeScope(); // [batch, sequence, hidden]
    }
}

/// <summary>Self-attention and its output, the first half of a layer.</summary>
public sealed class BertAttention : nn.Module<Tensor, Tensor, Tensor?, Tensor>
{
    private readonly BertSelfAttention self;
    private readonly BertSelfOutput output;

    internal BertAttention(BertConfig config) : base(nameof(BertAttention))
    {
        self = new BertSelfAttention(config);
        output = new BertSelfOutput(config);
        RegisterComponents();
    }

    /// <summary>
    /// The query states, [batch, queries, hidden], all states, and the scores' bias, as in <see cref="BertSelfAttention"/> →
    /// [batch, queries, hidden].
    /// </summary>
    public override Tensor forward(Tensor queryStates, Tensor hidden, Tensor? bias)
    {
        using var context = self.call(queryStates, hidden, bias);                     // [batch, queries, hidden]
        return output.call(context, queryStates);                                     // [batch, queries, hidden]
    }
}

/// <summary>The wide half of the feed-forward layer, with its activation.</summary>
public sealed class BertIntermediate : nn.Module<Tensor, Tensor>
{
    private readonly BertLinear dense;
    private readonly Func<Tensor, Tensor> activation;

    internal BertIntermediate(BertConfig config) : base(nameof(BertIntermediate))
    {
        dense = new BertLinear(config.HiddenSize, config.IntermediateSize);
        activation = Activation.Of(config.HiddenAct);
        RegisterComponents();
    }

    /// <summary>[batch, sequence, hidden] → [batch, sequence, intermediate].</summary>
    public override Tensor forward(Tensor hidden)
    {
        using var wide = dense.call(hidden);                                     // [batch, sequence, intermediate]
        return activation(wide);                                                 // [batch, sequence, intermediate]
    }
}

/// <summary>The narrow half of the feed-forward layer, its dropout, residual and LayerNorm.</summary>
public sealed class BertOutput : nn.Module<Tensor, Tensor, Tensor>
{
    private readonly BertLinear dense;
    private readonly LayerNorm LayerNorm;
    private readonly BertDropout dropout;

    internal BertOutput(BertConfig config) : base(nameof(BertOutput))
    {
        dense = new BertLinear(config.IntermediateSize, config.HiddenSize);
        LayerNorm = Uninitialized.LayerNorm(config);
        dropout = new BertDropout(config.HiddenDropoutProb);
        RegisterComponents();
    }

    /// <summary>[batch, sequence, intermediate] and the residual [batch, sequence, hidden] → [batch, sequence, hidden].</summary>
    public override Tensor forward(Tensor wide, Tensor residual)
    {
        using var scope = NewDisposeScope();
        var narrow = dropout.call(dense.call(wide));                             // [batch, sequence, hidden]
        return LayerNorm.call(narrow.add(residual, HeldScalar.One)).MoveToOuterDisposeScope(); // [batch, sequence, hidden]
    }
}

/// <summary>One encoder layer: attention, then the feed-forward layer.</summary>
public sealed class BertLayer : nn.Module<Tensor, Tensor, Tensor?, Tensor>
{
    private readonly BertAttention attention;
    private readonly BertIntermediate intermediate;
    private readonly BertOutput output;

    internal BertLayer(BertConfig config) : base(nameof(BertLayer))
    {
        attention = new BertAttention(config);
        intermediate = new BertIntermediate(config);
        output = new BertOutput(config);
        RegisterComponents();
    }

    /// <summary>
    /// The query states, [batch, queries, hidden], all states, and the scores' bias, as in <see cref="BertSelfAttention"/> →
    /// their next states, [batch, queries, hidden].
    /// </summary>
    public override Tensor forward(Tensor queryStates, Tensor hidden, Tensor? bias)
    {
        using var attended = attention.call(queryStates, hidden, bias);               // [batch, queries, hidden]
        using var wide = intermediate.call(attended);                            // [batch, queries, intermediate]
        return output.call(wide, attended);                                      // [batch, queries, hidden]
    }
}

/// <summary>The stack of layers.</summary>
public sealed class BertEncoder : nn.Module<Tensor, Tensor?, Tensor?, Tensor>
{
    private readonly ModuleList<BertLayer> layer;

    internal BertEncoder(BertConfig config) : base(nameof(BertEncoder))
    {
        layer = new ModuleList<BertLayer>([.. Enumerable.Range(0, config.NumHiddenLayers).Select(_ => new BertLayer(config))]);
        RegisterComponents();
    }

    /// <summary>
    /// States [batch, sequence, hidden], the scores' bias ([batch, 1, 1, sequence] or null), and the positions whose last
    /// states are computed, [batch, positions] int64, null for all → [batch, positions, hidden]. The last layer computes no other
    /// queries and feed-forwards than those: in a shallow model half of all work.
    /// </summary>
    public override Tensor forward(Tensor hidden, Tensor? bias, Tensor? positions)
    {
        var current = hidden.alias();
        for (int index = 0; index < layer.Count; index++)
        {
            using var queryStates = positions is not null && index == layer.Count - 1 ? Rows(current, positions) : current.alias();
            var next = layer[index].call(queryStates, current, bias);                 // [batch, sequence or positions, hidden]
            current.Dispose();
            current = next;
        }
        return current;
    }

    // Not gather: its backward pass adds element by element.
    private static Tensor Rows(Tensor hidden, Tensor positions)
    {
        using var scope = NewDisposeScope();
        var (batch, sequence) = (hidden.size(0), hidden.size(1));
        using Scalar rows = batch, length = sequence;
        var first = arange(HeldScalar.Zero, rows, HeldScalar.One, int64, hidden.device).mul_(length).unsqueeze(1); // [batch, 1]
        return hidden.flatten(0, 1).index_select(0, first.add(positions, HeldScalar.One).flatten()) // [batch * positions, hidden]
            .unflatten(0, batch, positions.size(1)).MoveToOuterDisposeScope();      // [batch, positions, hidden]
    }
}

/// <summary>What the classifier sees: the first token's state through a linear layer and tanh (ReLU in DistilBERT).</summary>
public sealed class BertPooler : nn.Module<Tensor, Tensor>
{
    private readonly Linear dense;
    private readonly Func<Tensor, Tensor> activation;

    internal BertPooler(BertConfig config) : base(nameof(BertPooler))
    {
        dense = Uninitialized.Linear(config.HiddenSize, config.HiddenSize);
        activation = Activation.Of(config.PoolerAct);
        RegisterComponents();
    }

    /// <summary>[batch, sequence, hidden] → [batch, hidden].</summary>
    public override Tensor forward(Tensor hidden)
    {
        using var scope = NewDisposeScope();
        var first = hidden.select(1, 0);                                         // [batch, hidden]
        return activation(dense.call(first)).MoveToOuterDisposeScope();          // [batch, hidden]
    }
}

/// <summary>The encoder with its pooler: BERT (Devlin et al. 2018, arXiv:1810.04805), as Hugging Face's BertModel.</summary>
public sealed class BertModel : nn.Module<Tensor, Tensor?, Tensor?, (Tensor LastHiddenState, Tensor PoolerOutput)>
{
    private readonly BertEmbeddings embeddings;
    private readonly BertEncoder encoder;
    private readonly BertPooler pooler;

    internal BertModel(BertConfig config) : base(nameof(BertModel))
    {
        embeddings = new BertEmbeddings(config);
        encoder = new BertEncoder(config);
        pooler = new BertPooler(config);
        RegisterComponents();
    }

    /// <summary>
    /// The word embeddings, [vocabulary, hidden], which a masked language model's decoder shares; the caller disposes the name,
    /// not the memory.
    /// </summary>
    internal Tensor WordEmbeddings => embeddings.WordEmbeddings;

    /// <summary>
    /// Ids [batch, sequence] int64; mask [batch, sequence], non-zero for real tokens, null where nothing is padding;
    /// token types [batch, sequence] int64, null where all are 0 → states [batch, sequence, hidden] and [batch, hidden].
    /// </summary>
    /// <exception cref="ArgumentException">The sequence is longer than max_position_embeddings.</exception>
    public override (Tensor LastHiddenState, Tensor PoolerOutput) forward(Tensor inputIds, Tensor? attentionMask, Tensor? tokenTypeIds)
    {
        var hidden = HiddenStates(inputIds, attentionMask, tokenTypeIds, positions: null); // [batch, sequence, hidden]
        return (hidden, pooler.call(hidden));
    }

    /// <summary>
    /// As <see cref="forward"/>, but only the last states at the positions <paramref name="positions"/>, [batch, positions]
    /// int64 (null: all) → [batch, positions, hidden]. What the others would have cost in the last layer is saved.
    /// </summary>
    public Tensor HiddenStates(Tensor inputIds, Tensor? attentionMask, Tensor? tokenTypeIds, Tensor? positions)
    {
        using var embedded = embeddings.call(inputIds, tokenTypeIds);            // [batch, sequence, hidden]
        using var bias = attentionMask is null ? null : ScoreBias(attentionMask, embedded.dtype);
        return encoder.call(embedded, bias, positions);                             // [batch, positions, hidden]
    }

    /// <summary>The pooler's output alone: only [CLS] goes through the whole last layer → [batch, hidden].</summary>
    public Tensor Pooled(Tensor inputIds, Tensor? attentionMask, Tensor? tokenTypeIds)
    {
        using var first = zeros(inputIds.size(0), 1, int64, inputIds.device);    // [batch, 1]
        using var hidden = HiddenStates(inputIds, attentionMask, tokenTypeIds, first); // [batch, 1, hidden]
        return pooler.call(hidden);
    }

    // The most negative number and not -infinity, as the reference: a row that is all padding stays finite.
    private static Tensor ScoreBias(Tensor attentionMask, ScalarType dtype)
    {
        using var scope = NewDisposeScope();
        using Scalar least = finfo(dtype).min;
        var padding = attentionMask.eq(HeldScalar.Zero).unsqueeze(1).unsqueeze(2); // [batch, 1, 1, sequence]
        return zeros_like(padding, dtype).masked_fill_(padding, least).MoveToOuterDisposeScope();
    }
}

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
        if (config.ValidationErrors().ToList() is { Count: > 0 } faults)
            throw new ArgumentException(string.Join(" ", faults), nameof(config));
        Config = config;
        bert = new BertModel(config);
        dropout = new BertDropout(config.ClassifierDropout ?? config.HiddenDropoutProb);
        classifier = Uninitialized.Linear(config.HiddenSize, config.NumLabels);
        RegisterComponents();
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

    /// <summary>
    /// Makes the dropouts' masks on the CPU a function of a seed and of the order of calls; without it, they are drawn from
    /// torch's global generator, which <c>torch.manual_seed</c> sets.
    /// </summary>
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
        foreach (BertSelfAttention each in modules().OfType<BertSelfAttention>()) each.DropoutProbability = attention
            ?? Config.AttentionProbsDropoutProb;
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

    /// <summary>
    /// As <see cref="forward(Tensor, Tensor, Tensor)"/>, with the mean cross-entropy of the labels beside the logits: what
    /// <c>model(**batch, labels=…)</c> gives in Python.
    /// </summary>
    /// <param name="inputIds">[batch, sequence], int64.</param>
    /// <param name="attentionMask">[batch, sequence], or null where nothing is padding.</param>
    /// <param name="tokenTypeIds">[batch, sequence], or null where all are 0.</param>
    /// <param name="labels">[batch], int64, from 0.</param>
    /// <returns>The loss, [], and the logits, [batch, labels].</returns>
    public (Tensor Loss, Tensor Logits) forward(Tensor inputIds, Tensor? attentionMask, Tensor? tokenTypeIds, Tensor labels)
    {
        Tensor logits = call(inputIds, attentionMask, tokenTypeIds);             // [batch, labels]
        return (nn.functional.cross_entropy(logits, labels), logits);
    }
}
