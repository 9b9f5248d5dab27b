using ServerlessBert.Modeling.Optimizers;
using ServerlessBert.Modeling.Options;
using ServerlessBert.Modeling.Training;
using ServerlessBert.Pipeline.Retraining;
using ServerlessBert.Pipeline.Storage;

namespace ServerlessBert.Pipeline.Tests.Retraining;

public sealed class TrainingRequestTests
{
    [Fact]
    public void A_request_comes_back_as_it_was()
    {
        var request = new TrainingRequest
        {
            Base = "preset:mini",
            EvalFraction = 0.1,
            VocabularySize = 5000,
            Tolerance = 0,
            Significance = 0.05,
            RequestedBy = "schedule",
        };
        request = request.With(options => options.Epochs, 2.5).With(options => options.BatchSize, 32)
            .With(options => options.LearningRate, 2e-5)
            .With(options => options.MaxLength, 256).With(options => options.MaxSteps, 100).With(options => options.Seed, 7)
            .With(options => options.WarmupRatio, 0).With(options => options.WeightDecay, 0.1);

        Assert.Equal(request, TrainingRequest.Parse(request.ToBody()));
    }

    [Fact]
    public void An_empty_object_is_a_request_with_every_default() =>
        Assert.Equal(new TrainingRequest(), TrainingRequest.Parse(new BinaryData("{}")));

    [Fact]
    public void An_unknown_field_is_refused_by_name() =>
        Assert.All(new[] { "learning_rate", "options", "Epochs" },
            field => Assert.Contains($"unknown field \"{field}\"", Refusal($$"""{"{{field}}":0.1}""")));

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
    [InlineData("""{"momentum":0.9}""", "momentum has no effect without optimizer sgd")]
    [InlineData("""{"labelSmoothing":1}""", "labelSmoothing is 1")]
    [InlineData("""{"schedule":"sawtooth"}""", "schedule")]
    [InlineData("""{"classWeights":[1,1,1,1,1],"balancedClasses":true}""", "classWeights cannot be combined with balancedClasses true")]
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
            {"epochs":2,"optimizer":"sgd","momentum":0.9,"schedule":"cosine","classWeights":[
                1,1,2,1,1],"freezeEmbeddings":true,"keepBest":false,"compute":"float32","learningRate":1e-3}
            """));

        TrainingOptions options = request.Options.Over(TrainingOptions.FromScratch);

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
                LoadBestModelAtEnd = false,
                Precision = Precision.Float32,
                LearningRate = 1e-3,
            },
            options);
        Assert.Equal(TrainingOptions.FromScratch, new TrainingRequest().Options.Over(TrainingOptions.FromScratch));
    }

    [Fact]
    public void A_renamed_option_is_read_under_both_names_and_written_under_the_old_one()
    {
        var request = TrainingRequest.Parse(new BinaryData("""{"earlyStoppingPatience":3,"compute":"bf16-mixed"}"""));

        Assert.Equal(request, TrainingRequest.Parse(new BinaryData("""{"patience":3,"compute":"bFloat16"}""")));
        Assert.Equal(request, TrainingRequest.Parse(new BinaryData("""{"patience":"3","precision":"bfloat16"}""")));
        Assert.Equal("""{"version":1,"compute":"bFloat16","patience":3}""", request.ToBody().ToString());
    }

    [Fact]
    public void What_was_written_before_options_were_properties_is_read_and_written_to_the_byte()
    {
        const string body = """
            {"version":1,"epochs":2.5,"maxSteps":100,"maxRows":1000,"maxEvaluationRows":50,"batchSize":32,"gradientAccumulation":2,"maxLength":256,
            "padToMax":true,"optimizer":"adamW","learningRate":2E-05,"schedule":"cosine","warmupRatio":0,"weightDecay":0.1,"averageDecay":0.99,
            "maxGradientNorm":2,"layerDecay":0.9,"freezeEmbeddings":true,"frozenLayers":1,"labelSmoothing":0.1,"classWeights":[1,1,2,1,1],
            "hiddenDropout":0.2,"attentionDropout":0.1,"classifierDropout":0,"seed":7,"compute":"float32","evaluateEvery":5,"patience":3,"keepBest":true}
            """;

        Assert.Equal(body.ReplaceLineEndings(""), TrainingRequest.Parse(new BinaryData(body)).ToBody().ToString());
    }

    [Fact]
    public void An_option_for_trainings_on_a_machine_of_ones_own_is_an_unknown_field() =>
        Assert.All(OptionSet<TrainingOptions>.All.Where(option => option.IsLocal),
            option => Assert.Contains("unknown field", Refusal($$"""{"{{option.JsonName}}":1}""")));

    private static string Refusal(string body) =>
        Assert.Throws<MessageFormatException>(() => TrainingRequest.Parse(new BinaryData(body))).Message;
}
