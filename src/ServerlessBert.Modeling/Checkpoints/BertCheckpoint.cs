using TorchSharp;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling;

/// <summary>A checkpoint folder in memory: configuration, float32 model, tokenizer; as Hugging Face saves and loads them.</summary>
public sealed class BertCheckpoint : IDisposable
{
    private BertCheckpoint(LoadedModel loaded, BertTokenizer tokenizer) =>
        (Model, Notes, Tokenizer) = (loaded.Model, loaded.Notes, tokenizer);

    /// <summary>The model's shape and labels.</summary>
    public BertConfig Config => Model.Config;

    /// <summary>The module tree, in training mode as constructed; <see cref="Dispose"/> frees it.</summary>
    public BertForSequenceClassification Model { get; }

    /// <summary>The tokenizer that belongs to the vocabulary.</summary>
    public BertTokenizer Tokenizer { get; }

    /// <summary>One-line remarks of loading: what started fresh, what was dropped.</summary>
    public IReadOnlyList<string> Notes { get; }

    /// <summary>Loads a folder; do not call it inside a dispose scope.</summary>
    /// <exception cref="CheckpointException">The folder is not a sound checkpoint; every fault is named.</exception>
    public static BertCheckpoint Load(string folder, CheckpointOptions? options = null)
    {
        var tokenizer = BertTokenizer.FromFolder(folder);
        return new BertCheckpoint(LoadedModel.Load(folder, options), tokenizer);
    }

    /// <summary>A fresh model; the seed decides its weights and resets torch's global generator.</summary>
    /// <exception cref="ArgumentException">The configuration is not sound.</exception>
    public static BertCheckpoint Create(BertConfig config, BertTokenizer tokenizer, long seed)
    {
        random.manual_seed(seed);
        return new BertCheckpoint(new LoadedModel(new BertForSequenceClassification(config), []), tokenizer);
    }

    /// <summary>
    /// Writes model.safetensors, config.json, vocab.txt and tokenizer_config.json; weights are stored as
    /// <paramref name="dtype"/>, null as they are.
    /// </summary>
    public void Save(string folder, ScalarType? dtype = null)
    {
        Model.SaveTo(folder, dtype);
        Tokenizer.Save(folder);
    }

    /// <summary>Frees the model.</summary>
    public void Dispose() => Model.Dispose();
}
