using ServerlessBert.Modeling.Bert;
using ServerlessBert.Modeling.Checkpoints;
using ServerlessBert.Modeling.Tokenization;
using ServerlessBert.Testing;
using TorchSharp;

namespace ServerlessBert.Benchmarks.Inference;

/// <summary>Checkpoint folders of bert-base's shape with random weights: speed does not depend on what a model knows.</summary>
internal sealed class BaseModel : IDisposable
{
    private readonly DirectoryInfo _parent = Directory.CreateTempSubdirectory("bert-base-");

    private BaseModel() { }

    /// <summary>The folder whose weights are float32.</summary>
    public string Float32 => Path.Combine(_parent.FullName, "float32");

    /// <summary>The folder whose weights are bfloat16, as a trainer publishes them to halve the download.</summary>
    public string BFloat16 => Path.Combine(_parent.FullName, "bfloat16");

    /// <summary>A folder for what is made of them.</summary>
    public string FolderFor(string name) => Path.Combine(_parent.FullName, name);

    /// <summary>Writes both folders.</summary>
    /// <param name="shape">Another shape than bert-base's.</param>
    public static BaseModel Create(Func<BertConfig, BertConfig>? shape = null)
    {
        var model = new BaseModel();
        BertTokenizer tokenizer = Tokenizer();
        // Wider than BERT's 0.02, so that random models tell texts apart and their logits can be compared.
        BertConfig preset = BertConfig.Preset("base", tokenizer.VocabularySize);
        BertConfig config = (shape?.Invoke(preset) ?? preset) with { InitializerRange = 0.04 };
        using Checkpoint checkpoint = Checkpoint.Create(config, tokenizer, seed: 1);
        checkpoint.Save(model.Float32);
        checkpoint.Save(model.BFloat16, torch.bfloat16);
        return model;
    }

    /// <summary>bert-base-uncased's vocabulary where it is beside the checkout, else one of as many made-up words.</summary>
    public static BertTokenizer Tokenizer()
    {
        var options = new BertTokenizerOptions { LowerCase = true };
        if (SharedData.Root is not null)
            return BertTokenizer.FromVocabulary(SharedData.PathOf("vocab", "bert-base-uncased-vocab.txt"), options);
        string[] special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];
        return BertTokenizer.FromVocabulary(
            [.. special, .. Enumerable.Range(0, 30_522 - special.Length).Select(BenchmarkReviews.Word)], options);
    }

    public void Dispose() => _parent.Delete(recursive: true);
}
