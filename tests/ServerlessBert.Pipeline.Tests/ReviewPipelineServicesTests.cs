using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using ServerlessBert.Modeling;
using ServerlessBert.Pipeline.Models;
using ServerlessBert.Pipeline.Reviews;
using ServerlessBert.Pipeline.Runs;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Pipeline.Training;

namespace ServerlessBert.Pipeline.Tests;

public sealed class ReviewPipelineServicesTests
{
    [Fact]
    public void Options_come_from_configuration_and_the_others_keep_their_defaults()
    {
        using var services = Build(
            ("ServerlessBert:Reviews:TextFields:0", "comment"), ("ServerlessBert:Reviews:BatchRows", "7"),
            ("ServerlessBert:Runs:StallTime", "00:00:42"), ("ServerlessBert:Models:PollInterval", "00:00:03"), ("ServerlessBert:Inference:Dtype", "Float32"));

        var reviews = services.GetRequiredService<ReviewOptions>();
        Assert.Equal(["comment"], reviews.TextFields);
        Assert.Equal(new ReviewOptions().IdFields, reviews.IdFields);
        Assert.Equal((7, new ReviewOptions().BatchBytes), (reviews.BatchRows, reviews.BatchBytes));
        Assert.Equal(new RunOptions { StallTime = TimeSpan.FromSeconds(42) }, services.GetRequiredService<RunOptions>());
        Assert.Equal(new ModelCacheOptions { PollInterval = TimeSpan.FromSeconds(3) }, services.GetRequiredService<ModelCacheOptions>());
        Assert.Equal(InferenceDtype.Float32, services.GetRequiredService<InferenceOptions>().Dtype);
    }

    [Theory]
    [InlineData(typeof(FileSplitting))]
    [InlineData(typeof(BatchClassifying))]
    [InlineData(typeof(ReviewSweep))]
    [InlineData(typeof(RunStore))]
    [InlineData(typeof(ModelRegistry))]
    [InlineData(typeof(ModelCache))]
    [InlineData(typeof(RetrainingSchedule))]
    [InlineData(typeof(TrainingRequests))]
    [InlineData(typeof(PipelineStatus))]
    [InlineData(typeof(PipelineStorage))]
    public void Every_part_is_there_once(Type part)
    {
        using var services = Build();

        Assert.Same(services.GetRequiredService(part), services.GetRequiredService(part));
    }

    private static ServiceProvider Build(params (string Key, string Value)[] settings) => new ServiceCollection()
        .AddReviewPipeline(new ConfigurationBuilder().AddInMemoryCollection(
            settings.Append((PipelineStorage.ConnectionSection, PipelineStorage.DevelopmentStorage)).Select(setting => KeyValuePair.Create(setting.Item1, (string?)setting.Item2))).Build())
        .BuildServiceProvider(new ServiceProviderOptions { ValidateOnBuild = true, ValidateScopes = true });
}
