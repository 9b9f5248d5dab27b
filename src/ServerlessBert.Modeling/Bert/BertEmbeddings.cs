using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling;

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
        word_embeddings = Blank.Embedding(config.VocabSize, config.HiddenSize, config.PadTokenId);
        position_embeddings = Blank.Embedding(config.MaxPositionEmbeddings, config.HiddenSize);
        if (config.TypeVocabSize > 0) token_type_embeddings = Blank.Embedding(config.TypeVocabSize, config.HiddenSize);
        LayerNorm = Blank.LayerNorm(config);
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
        var position = arange(length, int64, inputIds.device);                   // [sequence]
        var sum = word_embeddings.call(inputIds);                                // [batch, sequence, hidden]
        if (token_type_embeddings is not null)
            sum = sum + token_type_embeddings.call(tokenTypeIds ?? zeros_like(position)); // [batch, sequence, hidden]
        sum = sum + position_embeddings.call(position);                          // [batch, sequence, hidden]
        return dropout.call(LayerNorm.call(sum)).MoveToOuterDisposeScope();
    }

    /// <summary>The word embeddings, [vocabulary, hidden]: a new name for the same memory and gradient at each call.</summary>
    internal Tensor Words => word_embeddings.weight!;

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
