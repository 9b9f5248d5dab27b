using ServerlessBert.Modeling.Bert;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling.Tests.Bert;

/// <summary>
/// BertForPreTraining, for comparing with numbers of other implementations: the product's encoder and masked language model's
/// head, and the next-sentence head that it has no use for.
/// </summary>
internal sealed class BertForPreTraining : nn.Module
{
    private readonly BertModel bert;
    private readonly PreTrainingHeads cls;

    public BertForPreTraining(BertConfig config) : base(nameof(BertForPreTraining))
    {
        bert = new BertModel(config);
        cls = new PreTrainingHeads(config);
        RegisterComponents();
    }

    public (Tensor Hidden, Tensor Pooled, Tensor Predictions, Tensor Relationship) Forward(Tensor ids, Tensor mask, Tensor types)
    {
        var (hidden, pooled) = bert.call(ids, mask, types);
        var words = named_parameters().Single(each => each.name == "bert.embeddings.word_embeddings.weight").parameter;
        return (hidden, pooled, cls.predictions.call(hidden, words), cls.seq_relationship.call(pooled));
    }

    internal sealed class PreTrainingHeads : nn.Module
    {
        public readonly BertLMPredictionHead predictions;
        public readonly Linear seq_relationship;

        public PreTrainingHeads(BertConfig config) : base(nameof(PreTrainingHeads))
        {
            predictions = new BertLMPredictionHead(config);
            seq_relationship = nn.Linear(config.HiddenSize, 2);
            RegisterComponents();
        }
    }
}
