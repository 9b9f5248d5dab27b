using ServerlessBert.Modeling.Checkpoints;
using ServerlessBert.Modeling.Recipes;
using ServerlessBert.Modeling.Tokenization;
using ServerlessBert.Modeling.Training;
using ServerlessBert.Testing;

namespace ServerlessBert.Modeling.Tests.Recipes;

public sealed class TrainingStartTests
{
    [Theory]
    [InlineData(MergeScore.Frequency, 2)]
    [InlineData(MergeScore.Likelihood, 5)]
    public void A_fresh_vocabulary_merges_as_asked(MergeScore merges, int minimumFrequency)
    {
        IReadOnlyList<LabelledReview> rows = SmallModels.Reviews(100);
        var options = new WordPieceTrainerOptions { VocabularySize = 60, Score = merges, MinimumFrequency = minimumFrequency };

        using Checkpoint fresh = new TrainingStart.FromScratch("tiny", 60, Layers: 1, Merges: merges, MinimumFrequency: minimumFrequency)
            .Open(rows, seed: 1);

        var expected = BertTokenizer.FromVocabulary(WordPieceTrainer.Train(rows.Select(row => row.Text), options), options.Tokenizer);
        Assert.All(rows, row => Assert.Equal(expected.Encode(row.Text), fresh.Tokenizer.Encode(row.Text)));
        Assert.Equal((1, expected.VocabularySize), (fresh.Config.NumHiddenLayers, fresh.Tokenizer.VocabularySize));
    }
}
