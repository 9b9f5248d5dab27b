using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling.Tests;

/// <summary>BertForPreTraining, for comparing with numbers of other implementations; the product has no use for its heads.</summary>
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
        return (hidden, pooled, cls.predictions.Forward(hidden, words), cls.seq_relationship.call(pooled));
    }

    internal sealed class PreTrainingHeads : nn.Module
    {
        public readonly Predictions predictions;
        public readonly Linear seq_relationship;

        public PreTrainingHeads(BertConfig config) : base(nameof(PreTrainingHeads))
        {
            predictions = new Predictions(config);
            seq_relationship = nn.Linear(config.HiddenSize, 2);
            RegisterComponents();
        }
    }

    internal sealed class Predictions : nn.Module
    {
        private readonly Transform transform;
        private readonly Parameter bias;

        public Predictions(BertConfig config) : base(nameof(Predictions))
        {
            transform = new Transform(config);
            bias = new Parameter(zeros(config.VocabSize));
            RegisterComponents();
        }

        public Tensor Forward(Tensor hidden, Tensor words) => nn.functional.linear(transform.call(hidden), words, bias);
    }

    internal sealed class Transform : nn.Module<Tensor, Tensor>
    {
        private readonly Linear dense;
        private readonly LayerNorm LayerNorm;

        public Transform(BertConfig config) : base(nameof(Transform))
        {
            dense = nn.Linear(config.HiddenSize, config.HiddenSize);
            LayerNorm = nn.LayerNorm(config.HiddenSize, config.LayerNormEps);
            RegisterComponents();
        }

        public override Tensor forward(Tensor hidden) => LayerNorm.call(nn.functional.gelu(dense.call(hidden)));
    }
}
