using ServerlessBert.Modeling.Checkpoints;
using ServerlessBert.Modeling.Inference;
using ServerlessBert.Modeling.Tests.Checkpoints;
using ServerlessBert.Modeling.Training;
using ServerlessBert.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling.Tests.Training;

public sealed class DistillationTests : IDisposable
{
    private static readonly IReadOnlyList<LabelledReview> Rows = SmallModels.Reviews(30);

    private readonly TemporaryFolder folder = new();

    [Fact]
    public void Rows_get_the_mean_of_what_the_teachers_say_of_their_texts()
    {
        string[] teachers = [SmallModels.Save(folder.Path, seed: 1), SmallModels.Save(folder.Path, seed: 2)];
        var remarks = new List<string>();

        IReadOnlyList<LabelledReview> taught = Distillation.Teach(teachers, Rows, remarks.Add);

        float[][][] expected = [.. teachers.Select(Probabilities)];
        Assert.Equal(Rows, taught.Select(row => row with { Taught = null }));
        for (int row = 0; row < Rows.Count; row++)
            for (int label = 0; label < 5; label++)
                Assert.Equal((expected[0][row][label] + expected[1][row][label]) / 2, taught[row].Taught![label], 1e-5);
        Assert.Equal(2, remarks.Count);
        Assert.Same(Rows, Distillation.Teach([], Rows));
    }

    [Fact]
    public void A_teacher_of_another_vocabulary_reads_with_its_own_tokenizer()
    {
        // The same weights under other ids: what it says of a text must not change.
        string teacher = SmallModels.Save(folder.Path), moved = Path.Combine(folder.Path, "moved");
        using (Checkpoint checkpoint = Checkpoint.Load(teacher))
        {
            checkpoint.Save(moved);
            string[] tokens = File.ReadAllLines(Path.Combine(moved, "vocab.txt"));
            int first = Array.IndexOf(tokens, "awful"), second = Array.IndexOf(tokens, "food");
            (tokens[first], tokens[second]) = (tokens[second], tokens[first]);
            using var noGrad = no_grad();
            using Tensor words = checkpoint.Model.state_dict()["bert.embeddings.word_embeddings.weight"];
            using Tensor kept = words[first].clone();
            words[first].copy_(words[second]);
            words[second].copy_(kept);
            checkpoint.Save(moved);
            File.WriteAllLines(Path.Combine(moved, "vocab.txt"), tokens);
        }

        var (one, other) = (Distillation.Teach([teacher], Rows), Distillation.Teach([moved], Rows));

        Assert.All(one.Zip(other),
            pair => Assert.All(pair.First.Taught!.Zip(pair.Second.Taught!), each => Assert.Equal(each.First, each.Second, 1e-5)));
    }

    [Fact]
    public void Views_of_a_row_are_the_row_and_copies_without_some_of_its_words()
    {
        LabelledReview[] rows =
            [.. Enumerable.Range(0, 50)
            .Select(row => new LabelledReview(string.Join(' ', Enumerable.Range(0, 100).Select(word => $"{row}-{word}")), row % 5))];

        IReadOnlyList<LabelledReview> views = Distillation.Views(rows, 4, seed: 1);

        Assert.Equal(rows, views.Take(50));
        Assert.Equal(200, views.Count);
        double[] left = [.. views.Skip(50).Select((view, index) =>
        {
            string[] words = view.Text.Split(' '), all = rows[index % 50].Text.Split(' ');
            Assert.Equal(all.Where(words.Contains), words); // in their order
            Assert.Equal(rows[index % 50].Label, view.Label);
            return words.Length / 100.0;
        })];
        Assert.InRange(left.Average(), 0.7, 0.8); // from none to half are left out
        Assert.InRange(left.Min(), 0.35, 0.6);
        Assert.Equal(views, Distillation.Views(rows, 4, seed: 1));
        Assert.NotEqual(views, Distillation.Views(rows, 4, seed: 2));
        Assert.Same(rows, Distillation.Views(rows, 1, seed: 1));
    }

    [Fact]
    public void A_folder_that_is_no_checkpoint_is_named()
    {
        string empty = Directory.CreateDirectory(Path.Combine(folder.Path, "empty")).FullName;

        Assert.Contains(
            $"The teacher {empty} cannot be loaded", Assert.Throws<TrainingException>(() => Distillation.Teach([empty], Rows)).Message);
    }

    [Fact]
    public void Teachers_of_other_labels_than_the_students_are_refused()
    {
        using Checkpoint student = SmallModels.Create();
        LabelledReview[] taught = [.. Rows.Select(row => row with { Taught = [0.5f, 0.5f, 0] })];

        var exception = Assert.Throws<TrainingException>(() => new FineTuner(student, new TrainingOptions()).Train(taught, []));

        Assert.Contains("tell 3 labels apart, but the model has 5", exception.Message);
    }

    [Fact]
    public void The_loss_is_the_cross_entropy_to_the_mixture_of_label_and_teachers()
    {
        using var scope = NewDisposeScope();
        using var loss = new TrainingLoss(new TrainingOptions { DistillationWeight = 0.75 }, [1], 3, CPU);
        double[] logits = [1, 2, 4];
        double[] target = [0.75 * 0.2, 0.25 + 0.75 * 0.5, 0.75 * 0.3]; // by hand
        double expected = -logits.Zip(target, (logit, share) => share * (logit - Math.Log(Math.Exp(1) + Math.Exp(2) + Math.Exp(4)))).Sum();

        Tensor rows = tensor(logits, float32).unsqueeze(0);
        Assert.Equal(expected, loss.SumOf(rows, [1], [new[] { 0.2f, 0.5f, 0.3f }]).ToDouble(), 1e-5);
        Assert.Equal(loss.SumOf(rows, [1]).ToDouble(), loss.SumOf(rows, [1], [null]).ToDouble(), 1e-5); // a row that no teacher saw
    }

    [Fact]
    public void A_student_of_teachers_alone_learns_what_they_say_and_not_the_labels()
    {
        var options = new TrainingOptions
        {
            LearningRate = 3e-3,
            BatchSize = 16,
            Epochs = 6,
            DistillationWeight = 1,
            Precision = Precision.Float32
        };
        IReadOnlyList<LabelledReview> reviews = SmallModels.Reviews(240);
        // The teacher is always right, the labels are those of other rows.
        LabelledReview[] mislabelled =
            [.. reviews.Select((row, index) => new LabelledReview(row.Text, reviews[(index + 1) % reviews.Count].Label)
        {
            Taught = [.. Enumerable.Range(0, 5).Select(label => label == row.Label ? 1f : 0f)],
        })];
        using Checkpoint student = SmallModels.Create();

        TrainingResult result = new FineTuner(student, options).Train(mislabelled, SmallModels.Reviews(60, seed: 9));

        Assert.True(result.Evaluation!.Accuracy > 0.8, $"{result.Evaluation.Accuracy}");
    }

    public void Dispose() => folder.Dispose();

    private static float[][] Probabilities(string teacher)
    {
        using Checkpoint checkpoint = Checkpoint.Load(teacher);
        checkpoint.Model.eval();
        return ForwardPass.Probabilities(
            checkpoint.Model, [.. Rows.Select(row => checkpoint.Tokenizer.Encode(row.Text))], checkpoint.Tokenizer.PaddingId, CPU);
    }
}
