using ServerlessBert.Modeling.Bert;
using ServerlessBert.Modeling.Checkpoints;
using ServerlessBert.Modeling.Tokenization;
using ServerlessBert.Modeling.Training;

namespace ServerlessBert.Testing;

/// <summary>Real models, small enough to make in a test.</summary>
public static class SmallModels
{
    /// <summary>Words that <see cref="Create"/>'s vocabulary knows, one feeling a star.</summary>
    public static readonly string[] WordsByStars = ["awful", "bad", "okay", "good", "great"];

    private static readonly string[] Vocabulary =
        ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", .. WordsByStars, "the", "food", "was", "service", "and", "very", ".", ",", "a",
            "b", "c", "##s", "##ing"];

    /// <summary>A checkpoint of two narrow layers with random weights.</summary>
    /// <param name="seed">The same seed gives the same weights.</param>
    /// <param name="maxPositions">Longest input in tokens.</param>
    public static Checkpoint Create(long seed = 1, int maxPositions = 64)
    {
        var tokenizer = BertTokenizer.FromVocabulary(
            Vocabulary, new BertTokenizerOptions { LowerCase = true, ModelMaxLength = maxPositions });
        BertConfig config = BertConfig.Preset("tiny", tokenizer.VocabularySize) with
        {
            HiddenSize = 32,
            IntermediateSize = 64,
            NumAttentionHeads = 2,
            MaxPositionEmbeddings = maxPositions,
            InitializerRange = 0.2, // wide, so that random models tell texts apart
        };
        return Checkpoint.Create(config, tokenizer, seed);
    }

    /// <summary>Saves such a checkpoint into a new folder under <paramref name="parent"/>.</summary>
    public static string Save(string parent, long seed = 1)
    {
        string folder = Path.Combine(parent, $"model-{seed}");
        Directory.CreateDirectory(folder);
        using Checkpoint checkpoint = Create(seed);
        checkpoint.Save(folder);
        return folder;
    }

    /// <summary>Labelled reviews whose feeling word tells the stars.</summary>
    public static IReadOnlyList<LabelledReview> Reviews(int count, int seed = 7)
    {
        var random = new Random(seed);
        string[] subjects = ["the food was", "the service was very", "a very", "the b and c was"];
        return [.. Enumerable.Range(0, count).Select(row =>
        {
            int label = random.Next(5);
            return new LabelledReview(
                $"{subjects[random.Next(4)]} {WordsByStars[label]} . {(row % 3 == 0 ? "the food and service" : "")}", label);
        })];
    }
}
