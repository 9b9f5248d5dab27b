using ServerlessBert.Modeling.Bert;
using ServerlessBert.Modeling.Tokenization;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling.Checkpoints;

/// <summary>A checkpoint folder in memory: configuration, float32 model, tokenizer; as Hugging Face saves and loads them.</summary>
public sealed class Checkpoint : IDisposable
{
    private Checkpoint(LoadedModel loaded, BertTokenizer tokenizer) =>
        (Model, Notes, Tokenizer) = (loaded.Model, loaded.Notes, tokenizer);

    /// <summary>The model's shape and labels.</summary>
    public BertConfig Config => Model.Config;

    /// <summary>
    /// The module tree: in evaluation mode where it was loaded, as <c>from_pretrained</c> leaves it; <see cref="Dispose"/> frees
    /// it.
    /// </summary>
    public BertForSequenceClassification Model { get; }

    /// <summary>The tokenizer that belongs to the vocabulary.</summary>
    public BertTokenizer Tokenizer { get; }

    /// <summary>One-line remarks of loading: what started fresh, what was dropped.</summary>
    public IReadOnlyList<string> Notes { get; }

    /// <summary>Loads a folder; do not call it inside a dispose scope.</summary>
    /// <exception cref="CheckpointException">The folder is not a sound checkpoint; every fault is named.</exception>
    public static Checkpoint Load(string folder, CheckpointOptions? options = null)
    {
        var tokenizer = LoadTokenizer(folder);
        var loaded = LoadedModel.Load(folder, options);
        loaded.Model.eval();
        if (VocabularyFault(tokenizer, loaded.Model.Config) is not { } fault) return new Checkpoint(loaded, tokenizer);
        loaded.Model.Dispose();
        throw new CheckpointException($"{folder}: {fault}");
    }

    /// <summary>A fresh model; the seed decides its weights and resets torch's global generator.</summary>
    /// <exception cref="ArgumentException">The configuration is not sound, or its vocabulary is smaller than the tokenizer's.</exception>
    public static Checkpoint Create(BertConfig config, BertTokenizer tokenizer, long seed)
    {
        if (VocabularyFault(tokenizer, config) is { } fault) throw new ArgumentException(fault, nameof(config));
        random.manual_seed(seed);
        return new Checkpoint(new LoadedModel(new BertForSequenceClassification(config), []), tokenizer);
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

    private static BertTokenizer LoadTokenizer(string folder)
    {
        try
        {
            return BertTokenizer.FromFolder(folder);
        }
        catch (Exception exception) when (exception is InvalidDataException or FileNotFoundException or DirectoryNotFoundException)
        {
            throw new CheckpointException($"The tokenizer of {folder} cannot be loaded: {exception.Message}", exception);
        }
    }

    // The model may have spare rows (padding to a multiple of 8 is common), never too few.
    private static string? VocabularyFault(BertTokenizer tokenizer, BertConfig config) => tokenizer.VocabularySize <= config.VocabSize
        ? null
        : $"The tokenizer has {tokenizer.VocabularySize} tokens, but vocab_size is {config.VocabSize}; they do not belong together.";
}

/// <summary>How a checkpoint is loaded.</summary>
public sealed record CheckpointOptions
{
    /// <summary>Seeds the parts that the files do not have: the classifier of a bare encoder.</summary>
    public long Seed { get; init; }

    /// <summary>
    /// Refuses a folder without a trained classifier and pooler: right for predicting, wrong for fine-tuning, so off by default.
    /// </summary>
    public bool RequireClassifier { get; init; }
}
