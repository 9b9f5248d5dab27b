namespace ServerlessBert.Modeling;

/// <summary>What a training starts from: a checkpoint folder, or fresh weights of a preset's shape.</summary>
public abstract record TrainingStart
{
    private TrainingStart() { }

    /// <summary>A checkpoint folder.</summary>
    /// <param name="Folder">A folder as Hugging Face saves one.</param>
    public sealed record FromFolder(string Folder) : TrainingStart;

    /// <summary>Fresh weights, and a vocabulary built from the texts to learn from.</summary>
    /// <param name="Preset">tiny, mini, small or base.</param>
    /// <param name="VocabularySize">Most word pieces of the vocabulary.</param>
    public sealed record FromScratch(string Preset, int VocabularySize = 8000) : TrainingStart;

    /// <summary>Loads or makes the model and its tokenizer.</summary>
    /// <param name="train">The rows to learn from, which a fresh vocabulary is built from.</param>
    /// <param name="seed">Seed of fresh weights.</param>
    /// <param name="cancellationToken">Stops the building of a vocabulary.</param>
    public BertCheckpoint Open(IReadOnlyList<LabelledReview> train, int seed, CancellationToken cancellationToken = default)
    {
        if (this is FromFolder(string folder)) return BertCheckpoint.Load(folder);

        var (preset, size) = (FromScratch)this;
        // Lower-cased (the options' default): a few thousand reviews are too few to learn every word twice.
        var options = new WordPieceTrainerOptions { VocabularySize = size };
        IReadOnlyList<string> tokens = WordPieceTrainer.Train(train.Select(review => review.Text), options, cancellationToken);
        var tokenizer = BertTokenizer.FromVocabulary(tokens, options.Tokenizer);
        return BertCheckpoint.Create(BertConfig.Preset(preset, tokenizer.VocabularySize), tokenizer, seed);
    }

    /// <summary>The options that suit this start.</summary>
    public TrainingOptions DefaultOptions => this is FromScratch ? TrainingOptions.FromScratch : new TrainingOptions();
}
