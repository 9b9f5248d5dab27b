using Microsoft.Extensions.DependencyInjection;
using ServerlessBert.Modeling.Checkpoints;
using ServerlessBert.Modeling.Evaluation;
using ServerlessBert.Modeling.Inference;
using ServerlessBert.Modeling.Optimizers;
using ServerlessBert.Modeling.Tokenization;
using ServerlessBert.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling.Tests.Library;

/// <summary>The library in somebody's own program, as the tutorial uses it.</summary>
public sealed class OwnLoopTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("own-loop-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void A_loaded_model_is_in_evaluation_mode_as_from_pretrained_leaves_it()
    {
        using Checkpoint checkpoint = Checkpoint.Load(SmallModels.Save(folder));
        Assert.False(checkpoint.Model.training);
    }

    [Fact]
    public void torch_manual_seed_is_enough_to_seed_dropout()
    {
        using Checkpoint checkpoint = Checkpoint.Load(SmallModels.Save(folder));
        checkpoint.Model.train();
        using EncodedBatch batch = checkpoint.Tokenizer.Encode(["the food was good", "the service was bad"]);
        float[] Logits(long seed)
        {
            manual_seed(seed);
            using Tensor logits = checkpoint.Model.forward(batch.InputIds, batch.AttentionMask, batch.TokenTypeIds);
            return logits.data<float>().ToArray();
        }
        Assert.Equal(Logits(1), Logits(1));
        Assert.NotEqual(Logits(1), Logits(2));
    }

    [Fact]
    public void The_loss_beside_the_logits_is_their_cross_entropy()
    {
        using Checkpoint checkpoint = Checkpoint.Load(SmallModels.Save(folder));
        using var scope = NewDisposeScope();
        EncodedBatch batch = checkpoint.Tokenizer.Encode(["the food was good", "the service was bad"]);
        Tensor labels = tensor(new long[] { 3, 1 });
        var (loss, logits) = checkpoint.Model.forward(batch.InputIds, batch.AttentionMask, batch.TokenTypeIds, labels);
        Assert.Equal(nn.functional.cross_entropy(logits, labels).ToSingle(), loss.ToSingle());
        EvaluationMetrics metrics = EvaluationMetrics.FromLogits(labels, logits);
        Assert.Equal((2, loss.ToSingle()), (metrics.Rows, (float)metrics.Loss), new Near());
    }

    [Fact]
    public void The_schedule_drives_one_of_TorchSharps_optimizers()
    {
        using var linear = nn.Linear(2, 2);
        using var optimizer = optim.AdamW(linear.parameters(), lr: 1.0);
        var schedule = new LearningRateSchedule(ScheduleKind.Linear, TotalSteps: 4, WarmupSteps: 2).For(optimizer);
        List<double> rates = [optimizer.ParamGroups.First().LearningRate];
        for (int step = 0; step < 4; step++)
        {
            optimizer.step();
            schedule.step();
            rates.Add(optimizer.ParamGroups.First().LearningRate);
        }
        Assert.Equal([0, 0.5, 1, 0.5, 0], rates);
    }

    [Fact]
    public async Task A_stream_is_classified_in_order_as_its_texts_are_one_by_one()
    {
        using ServiceProvider services = new ServiceCollection()
            .AddReviewClassifier(SmallModels.Save(folder), new InferenceOptions { Dtype = InferenceDtype.Float32 }).BuildServiceProvider();
        var classifier = services.GetRequiredService<ReviewClassifier>();
        string[] texts = [.. SmallModels.Reviews(10).Select(review => review.Text)];
        List<Classification> streamed = await classifier.ClassifyAsync(texts.ToAsyncEnumerable(), batchSize: 3).ToListAsync();
        Assert.Equal(texts.Select(text => classifier.Classify([text])[0].Stars), streamed.Select(each => each.Stars));
    }

    private sealed class Near : IEqualityComparer<(long Rows, float Loss)>
    {
        public bool Equals((long Rows, float Loss) x, (long Rows, float Loss) y) => x.Rows == y.Rows && Math.Abs(x.Loss - y.Loss) < 1e-5;

        public int GetHashCode((long Rows, float Loss) value) => value.Rows.GetHashCode();
    }
}
