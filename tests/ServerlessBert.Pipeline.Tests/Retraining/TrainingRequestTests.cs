using ServerlessBert.Modeling.Inference;
using ServerlessBert.Modeling.Optimizers;
using ServerlessBert.Modeling.Training;
using ServerlessBert.Pipeline.Retraining;
using ServerlessBert.Pipeline.Storage;

namespace ServerlessBert.Pipeline.Tests.Retraining;

public sealed class TrainingRequestTests
{
    [Fact]
    public void A_request_comes_back_as_it_was()
    {
        var request = new TrainingRequest { Base = "preset:mini", Epochs = 2.5, BatchSize = 32, LearningRate = 2e-5, MaxLength = 256, MaxSteps = 100, Seed = 7, EvalFraction = 0.1, WarmupRatio = 0, WeightDecay = 0.1, VocabularySize = 5000, Tolerance = 0, Significance = 0.05, RequestedBy = "schedule" };

        Assert.Equal(request, TrainingRequest.Parse(request.ToBody()));
    }

    [Fact]
    public void An_empty_object_is_a_request_with_every_default() => Assert.Equal(new TrainingRequest(), TrainingRequest.Parse(new BinaryData("{}")));

    [Fact]
    public void An_unknown_field_is_refused_by_name() =>
        Assert.Contains("\"learning_rate\"", Refusal("""{"version":1,"learning_rate":0.1}"""));

    [Theory]
    [InlineData("""{"epochs":0}""", "epochs is 0")]
    [InlineData("""{"epochs":1e9}""", "epochs")]
    [InlineData("""{"batchSize":-1}""", "batchSize is -1")]
    [InlineData("""{"learningRate":3}""", "learningRate is 3")]
    [InlineData("""{"maxLength":2}""", "maxLength is 2")]
    [InlineData("""{"maxSteps":0}""", "maxSteps is 0")]
    [InlineData("""{"evalFraction":1}""", "evalFraction is 1")]
    [InlineData("""{"warmupRatio":1}""", "warmupRatio is 1")]
    [InlineData("""{"weightDecay":-0.1}""", "weightDecay is -0.1")]
    [InlineData("""{"vocabularySize":5}""", "vocabularySize is 5")]
    [InlineData("""{"tolerance":-1}""", "tolerance is -1")]
    [InlineData("""{"significance":0}""", "significance is 0")]
    [InlineData("""{"momentum":0.9}""", "Momentum is 0.9")]
    [InlineData("""{"labelSmoothing":1}""", "LabelSmoothing is 1")]
    [InlineData("""{"schedule":"sawtooth"}""", "schedule")]
    [InlineData("""{"classWeights":[1,1,1,1,1],"balancedClasses":true}""", "both are asked for")]
    [InlineData("""{"data":[]}""", "empty list")]
    [InlineData("""{"data":[""]}""", "empty name")]
    [InlineData("""{"base":"preset:huge"}""", "preset:huge")]
    [InlineData("""{"base":"version:../../x"}""", "version:../../x")]
    [InlineData("""{"epochs":"two"}""", "epochs")]
    [InlineData("""{"version":2}""", "version 2")]
    [InlineData("null", "not an object")]
    public void An_absurd_value_is_refused_with_a_sentence(string body, string part) => Assert.Contains(part, Refusal(body));

    [Fact]
    public void Every_training_option_that_is_given_takes_the_place_of_the_starts_default()
    {
        var request = TrainingRequest.Parse(new BinaryData("""
            {"epochs":2,"optimizer":"sgd","momentum":0.9,"schedule":"cosine","classWeights":[1,1,2,1,1],"freezeEmbeddings":true,"keepBest":false,"compute":"float32","learningRate":1e-3}
            """));

        TrainingOptions options = request.Over(TrainingOptions.FromScratch);

        Assert.Equal([1, 1, 2, 1, 1], options.ClassWeights);
        Assert.Equal(
            TrainingOptions.FromScratch with
            {
                Epochs = 2,
                Optimizer = OptimizerKind.Sgd,
                Momentum = 0.9,
                Schedule = ScheduleKind.Cosine,
                ClassWeights = options.ClassWeights,
                FreezeEmbeddings = true,
                KeepBest = false,
                Compute = InferenceDtype.Float32,
                LearningRate = 1e-3,
            },
            options);
        Assert.Equal(TrainingOptions.FromScratch, new TrainingRequest().Over(TrainingOptions.FromScratch));
    }

    [Fact]
    public void A_requests_options_have_the_names_and_types_of_the_trainings()
    {
        string[] own = ["Version", "Data", "Base", "VocabularySize", "EvalFraction", "Tolerance", "Significance", "RequestedBy"];
        foreach (var field in typeof(TrainingRequest).GetProperties().Where(field => !own.Contains(field.Name)))
        {
            var option = typeof(TrainingOptions).GetProperty(field.Name);
            Assert.True(option is not null, field.Name);
            Assert.Equal(Nullable.GetUnderlyingType(option.PropertyType) ?? option.PropertyType, Nullable.GetUnderlyingType(field.PropertyType) ?? field.PropertyType);
        }
    }

    private static string Refusal(string body) => Assert.Throws<MessageFormatException>(() => TrainingRequest.Parse(new BinaryData(body))).Message;
}
