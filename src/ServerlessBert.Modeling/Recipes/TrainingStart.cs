using System.ComponentModel.DataAnnotations;
using ServerlessBert.Modeling.Bert;
using ServerlessBert.Modeling.Checkpoints;
using ServerlessBert.Modeling.Options;
using ServerlessBert.Modeling.Pretraining;
using ServerlessBert.Modeling.Tokenization;
using ServerlessBert.Modeling.Training;

namespace ServerlessBert.Modeling.Recipes;

/// <summary>What a training starts from: a checkpoint folder, or fresh weights of a preset's shape.</summary>
public abstract record TrainingStart
{
    /// <summary>Bounds of a fresh vocabulary's size.</summary>
    public const int MinVocabularySize = 100, MaxVocabularySize = 1_000_000;

    private TrainingStart() { }

    /// <summary>A checkpoint folder.</summary>
    /// <param name="Folder">A folder as Hugging Face saves one.</param>
    public sealed record FromFolder(string Folder) : TrainingStart;

    /// <summary>Fresh weights, and a vocabulary built from the texts to learn from.</summary>
    /// <param name="Preset">tiny, mini, small or base.</param>
    /// <param name="VocabularySize">Most word pieces of the vocabulary.</param>
    /// <param name="Layers">How many layers, where that is to differ from the preset.</param>
    /// <param name="InitializerRange">
    /// The fresh weights' standard deviation, where that is to differ from BERT's 0.02, which suits a width of 768: a layer of
    /// 128 passes on a fifth of what it gets, and learns slowly at first. 0.06 is more like it there.
    /// </param>
    /// <param name="Merges">Which pieces the vocabulary's training merges.</param>
    /// <param name="MinimumFrequency">How often two pieces must stand side by side to be merged.</param>
    public sealed record FromScratch(
        [property: Option("--preset", Group = OptionGroup.Model,
            Help = "Start from random weights of this shape, with a vocabulary built from the texts")]
        [property: AllowedValues("tiny", "mini", "small", "base")]
        string Preset = "mini",
        [property: Option("--vocab-size", Group = OptionGroup.Model, Help = "Word pieces of the vocabulary at most")]
        [property: Range(MinVocabularySize, MaxVocabularySize)]
        int VocabularySize = 8000,
        [property: Option("--layers", Group = OptionGroup.Model, IsLocal = true, Help = "Number of layers", NullMeans = "the preset's")]
        [property: Range(1, 1000)]
        int? Layers = null,
        [property: Option("--initializer-range", Group = OptionGroup.Model, IsLocal = true, Help = "Standard deviation of fresh weights",
            NullMeans = "0.02, BERT's", Example = "0.06", Why = "A narrow model learns sooner with more")]
        [property: Range(0.0, 1, MinimumIsExclusive = true)]
        double? InitializerRange = null,
        [property: Option("--vocab-merges", Group = OptionGroup.Model, IsLocal = true,
            Help = "Merge word pieces by frequency, or by the likelihood that they gain, which needs a --vocab-min-frequency of about 20")]
        MergeScore Merges = MergeScore.Frequency,
        [property: Option("--vocab-min-frequency", Group = OptionGroup.Model, IsLocal = true,
            Help = "How often two word pieces must stand side by side to be merged")]
        [property: Range(1, 1_000_000)]
        int MinimumFrequency = 2) : TrainingStart;

    /// <summary>Loads or makes the model and its tokenizer.</summary>
    /// <param name="train">The rows to learn from, which a fresh vocabulary is built from.</param>
    /// <param name="seed">Seed of fresh weights.</param>
    /// <param name="cancellationToken">Stops the building of a vocabulary.</param>
    public Checkpoint Open(IReadOnlyList<LabelledReview> train, int seed, CancellationToken cancellationToken = default) =>
        Open(train.Select(review => review.Text), seed, cancellationToken);

    /// <summary>Loads or makes the model and its tokenizer.</summary>
    /// <param name="texts">The texts, labelled or not, that a fresh vocabulary is built from.</param>
    /// <param name="seed">Seed of fresh weights.</param>
    /// <param name="cancellationToken">Stops the building of a vocabulary.</param>
    public Checkpoint Open(IEnumerable<string> texts, int seed, CancellationToken cancellationToken = default)
    {
        if (this is FromFolder(string folder)) return Checkpoint.Load(folder);

        var (preset, size, layers, range, merges, frequency) = (FromScratch)this;
        // Lower-cased (the options' default): a few thousand reviews are too few to learn every word twice.
        var options = new WordPieceTrainerOptions { VocabularySize = size, Score = merges, MinimumFrequency = frequency };
        IReadOnlyList<string> tokens = WordPieceTrainer.Train(texts, options, cancellationToken);
        var tokenizer = BertTokenizer.FromVocabulary(tokens, options.Tokenizer);
        var config = BertConfig.Preset(preset, tokenizer.VocabularySize);
        config = config with { NumHiddenLayers = layers ?? config.NumHiddenLayers, InitializerRange = range ?? config.InitializerRange };
        return Checkpoint.Create(config, tokenizer, seed);
    }

    /// <summary>The options that suit this start.</summary>
    public TrainingOptions DefaultOptions => this is FromScratch ? TrainingOptions.FromScratch : new TrainingOptions();

    /// <summary>The options of a pretraining that suit this start.</summary>
    public PretrainingOptions DefaultPretraining => this is FromScratch ? PretrainingOptions.FromScratch : new PretrainingOptions();
}
