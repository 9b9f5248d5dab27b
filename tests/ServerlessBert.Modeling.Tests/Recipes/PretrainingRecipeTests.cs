using ServerlessBert.Modeling.Checkpoints;
using ServerlessBert.Modeling.Pretraining;
using ServerlessBert.Modeling.Recipes;
using ServerlessBert.Modeling.Training;
using ServerlessBert.Testing;
using TorchSharp;

namespace ServerlessBert.Modeling.Tests.Recipes;

public sealed class PretrainedStartTests : IDisposable
{
    private static readonly string[] Texts = [.. SmallModels.Reviews(60).Select(review => review.Text)];

    private readonly string parent = Directory.CreateTempSubdirectory("sbert-test-").FullName;
    private int steps;

    [Fact]
    public void It_is_pretrained_once_and_a_second_attempt_goes_on_from_it()
    {
        var first = (TrainingStart.FromFolder)Start(Texts);
        int taken = steps;
        var second = (TrainingStart.FromFolder)Start(Texts);

        Assert.Equal(3, taken);
        Assert.Equal((first, taken), (second, steps));
        using Checkpoint pretrained = second.Open(Texts, seed: 1);
        Assert.Contains(pretrained.Notes, note => note.Contains("pretraining head"));
    }

    [Fact]
    public void Other_texts_are_pretrained_on_anew_and_at_the_end_all_of_it_goes()
    {
        Assert.NotEqual(Start(Texts), Start([.. Texts.Skip(1)]));
        Assert.Equal(6, steps);

        Pretrained().Delete();
        Assert.Empty(Directory.EnumerateFileSystemEntries(parent));
    }

    [Fact]
    public void Stopped_it_leaves_nothing_behind()
    {
        Assert.Throws<OperationCanceledException>(
            () => Pretrained().Of(Texts, new Counting(() => { }), _ => { }, new CancellationToken(canceled: true)));
        Assert.Empty(Directory.EnumerateFileSystemEntries(parent));
    }

    public void Dispose() => Directory.Delete(parent, recursive: true);

    private PretrainedStart Pretrained() => new(
        new TrainingStart.FromScratch("tiny", 60, Layers: 1),
            new PretrainingOptions { MaxSteps = 3, BatchSize = 2, SequenceLength = 16, Precision = Precision.Float32 }, torch.CPU, parent);

    private TrainingStart Start(IReadOnlyList<string> texts) =>
        Pretrained().Of(texts, new Counting(() => steps++), _ => { }, CancellationToken.None);

    private sealed class Counting(Action count) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => count();
    }
}
