using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling.Bert;

/// <summary>
/// A linear layer that can compute in another number type than its weights have: float32 weights with bfloat16 products
/// is mixed precision (Micikevicius et al. 2018, arXiv:1710.03740), which TorchSharp has no autocast for. Gradients flow
/// back through the casts into the float32 weights.
/// </summary>
public sealed class BertLinear : nn.Module<Tensor, Tensor>
{
    private readonly Parameter weight;
    private readonly Parameter bias;

    internal BertLinear(int inputs, int outputs) : base(nameof(BertLinear))
    {
        weight = new Parameter(empty(outputs, inputs));
        bias = new Parameter(empty(outputs));
        RegisterComponents();
    }

    /// <summary>The number type of products and outputs; null for that of the weights.</summary>
    public ScalarType? ComputeDtype { get; set; }

    /// <summary>[…, inputs] → […, outputs].</summary>
    public override Tensor forward(Tensor input)
    {
        if (ComputeDtype is not { } dtype || dtype == weight.dtype) return nn.functional.linear(input, weight, bias);
        using var scope = NewDisposeScope();
        Tensor x = input.dtype == dtype ? input : input.to(dtype);               // [..., inputs]
        return nn.functional.linear(x, weight.to(dtype), bias.to(dtype)).MoveToOuterDisposeScope();
    }

    internal void Initialize(BertConfig config)
    {
        nn.init.normal_(weight, 0, config.InitializerRange);
        nn.init.zeros_(bias);
    }
}

/// <summary>
/// Inverted dropout (Srivastava et al. 2014); its masks come from <see cref="DropoutMask"/> on the CPU, from torch's generator on
/// a GPU.
/// </summary>
public sealed class BertDropout : nn.Module<Tensor, Tensor>
{
    internal BertDropout(double probability) : base(nameof(BertDropout))
    {
        Probability = probability;
        RegisterComponents();
    }

    /// <summary>The share that is dropped in training.</summary>
    internal double Probability { get; set; }

    /// <summary>Where masks come from; one for a whole model, so that no two dropouts draw the same.</summary>
    internal DropoutMask Mask { get; set; } = new(seed: null);

    /// <summary>Any shape; unchanged in evaluation.</summary>
    public override Tensor forward(Tensor input)
    {
        if (!training || Probability == 0) return input.alias();
        if (input.device_type != DeviceType.CPU) return nn.functional.dropout(input, Probability);
        using Tensor mask = Mask.Draw(input.shape, Probability, input.dtype);
        return input * mask;
    }
}

/// <summary>The activations that config.json may name; Hugging Face's ACT2FN.</summary>
internal static class Activation
{
    /// <summary>The known names, for messages.</summary>
    public const string Names = "gelu, gelu_new and relu";

    /// <summary>Whether <see cref="Of"/> knows the name.</summary>
    public static bool IsKnown(string name) => name is "gelu" or "gelu_new" or "relu";

    /// <summary>
    /// gelu: x·Φ(x) by erf; gelu_new: its tanh approximation (Hendrycks and Gimpel 2016, arXiv:1606.08415, section 2).
    /// </summary>
    /// <exception cref="ArgumentException">An unknown name.</exception>
    public static Func<Tensor, Tensor> Of(string name) => name switch
    {
        "gelu" => x => nn.functional.gelu(x),
        "gelu_new" => x => nn.functional.gelu(x, TorchSharp.Modules.GELU.Approximate.tanh),
        "relu" => x => x.relu(),
        "tanh" => x => x.tanh(),
        _ => throw new ArgumentException($"The activation '{name}' is not known; only {Names} are.", nameof(name)),
    };
}

/// <summary>
/// TorchSharp's own modules over uninitialised memory: PyTorch's default initialisation of a linear layer would be
/// overwritten at once, by BERT's or by a checkpoint, and costs a second at the size of bert-base.
/// </summary>
internal static class Uninitialized
{
    /// <summary>A linear layer of weight [outputs, inputs] and bias [outputs].</summary>
    public static Linear Linear(int inputs, int outputs) =>
        nn.Linear(new Parameter(empty(outputs, inputs)), new Parameter(empty(outputs)));

    /// <summary>
    /// An embedding of weight [rows, width]; the padding row gets no gradient from look-ups. It is made without width,
    /// so that nothing is drawn, and given its weight after: Embedding_from_pretrained draws one too, and registers that
    /// one, not the tensor that it computes with.
    /// </summary>
    public static Embedding Embedding(int rows, int width, int? padding = null)
    {
        var embedding = nn.Embedding((padding ?? 0) + 1, 0, padding);
        embedding.weight = new Parameter(empty(rows, width));
        return embedding;
    }

    /// <summary>A LayerNorm over the hidden dimension; its default (1, 0) is cheap and BERT's own.</summary>
    public static LayerNorm LayerNorm(BertConfig config) => nn.LayerNorm(config.HiddenSize, config.LayerNormEps);
}

/// <summary>Fresh weights as Hugging Face's BertPreTrainedModel draws them; <c>torch.manual_seed</c> outside decides which.</summary>
internal static class BertInitialization
{
    /// <summary>Normal(0, range) for linear and embedding weights, zero biases, LayerNorm 1 and 0, a zero padding row.</summary>
    public static void Initialize(nn.Module module, BertConfig config)
    {
        using var noGrad = no_grad();
        foreach (var part in module.modules().Prepend(module))
            InitializeOwn(part, config);
    }

    private static void InitializeOwn(nn.Module module, BertConfig config)
    {
        switch (module)
        {
            case Linear linear:
                nn.init.normal_(linear.weight!, 0, config.InitializerRange);
                if (linear.bias is { } bias) nn.init.zeros_(bias);
                break;
            case BertLinear linear:
                linear.Initialize(config);
                break;
            case LayerNorm norm:
                nn.init.ones_(norm.weight!);
                nn.init.zeros_(norm.bias!);
                break;
            case BertEmbeddings embeddings:
                embeddings.Initialize(config);
                break;
        }
    }
}
