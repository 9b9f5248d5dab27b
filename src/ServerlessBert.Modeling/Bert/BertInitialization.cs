using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling;

/// <summary>Fresh weights as Hugging Face's BertPreTrainedModel draws them; <c>torch.manual_seed</c> outside decides which.</summary>
internal static class BertInitialization
{
    /// <summary>Normal(0, range) for linear and embedding weights, zero biases, LayerNorm 1 and 0, a zero padding row.</summary>
    public static void Initialize(nn.Module module, BertConfig config)
    {
        using var ungraded = no_grad();
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
