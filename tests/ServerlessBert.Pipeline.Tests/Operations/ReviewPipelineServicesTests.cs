using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ServerlessBert.Modeling.Inference;
using ServerlessBert.Pipeline.Batches;
using ServerlessBert.Pipeline.Models;
using ServerlessBert.Pipeline.Operations;
using ServerlessBert.Pipeline.Retraining;
using ServerlessBert.Pipeline.Runs;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Reviews;
using ServerlessBert.Testing;

namespace ServerlessBert.Pipeline.Tests.Operations;

public sealed class ReviewPipelineServicesTests
{
    [Fact]
    public void Options_come_from_configuration_and_the_others_keep_their_defaults()
    {
        using var services = Build(
            ("ServerlessBert:Reviews:TextFields:0", "comment"), ("ServerlessBert:Reviews:BatchRows", "7"),
            ("ServerlessBert:Runs:StallTime", "00:00:42"), ("ServerlessBert:Models:PollInterval", "00:00:03"),
                ("ServerlessBert:Inference:Dtype", "Float32"));

        var reviews = services.GetRequiredService<ReviewOptions>();
        Assert.Equal(["comment"], reviews.TextFields);
        Assert.Equal(new ReviewOptions().IdFields, reviews.IdFields);
        Assert.Equal((7, new ReviewOptions().BatchBytes), (reviews.BatchRows, reviews.BatchBytes));
        Assert.Equal(new RunOptions { StallTime = TimeSpan.FromSeconds(42) }, services.GetRequiredService<RunOptions>());
        Assert.Equal(new ModelCacheOptions { PollInterval = TimeSpan.FromSeconds(3) }, services.GetRequiredService<ModelCacheOptions>());
        Assert.Equal(InferenceDtype.Float32, services.GetRequiredService<InferenceOptions>().Dtype);
    }

    [Fact]
    public void The_functions_models_compute_on_the_fast_path_and_the_log_says_so()
    {
        DirectoryInfo parent = Directory.CreateTempSubdirectory();
        try
        {
            var log = new Messages();
            IConfiguration settings = new ConfigurationBuilder().AddInMemoryCollection([new("ServerlessBert:Inference:Dtype", "Int8")])
                .Build();
            using ServiceProvider services = new ServiceCollection().AddLogging(logging => logging.AddProvider(log))
                .AddReviewPipeline(settings).BuildServiceProvider();
            using IReviewClassifier classifier = services.GetRequiredService<LoadClassifier>()(SmallModels.Save(parent.FullName), null);

            Assert.Single(classifier.Classify(classifier.Tokenize(["the food was good"])));
            Assert.Contains("A model computes in int8, by oneDNN's packed layers.", log.Lines);
        }
        finally
        {
            parent.Delete(recursive: true);
        }
    }

    private sealed class Messages : ILoggerProvider, ILogger
    {
        public List<string> Lines { get; } = [];

        public ILogger CreateLogger(string categoryName) => this;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => Lines.Add(formatter(state, exception));

        public bool IsEnabled(LogLevel logLevel) => true;

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public void Dispose() { }
    }

    [Theory]
    [InlineData(typeof(FileSplitter))]
    [InlineData(typeof(BatchClassifier))]
    [InlineData(typeof(RunSweep))]
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
            settings.Append((PipelineStorage.ConnectionSection, PipelineStorage.DevelopmentStorage))
                .Select(setting => KeyValuePair.Create(setting.Item1, (string?)setting.Item2))).Build())
        .BuildServiceProvider(new ServiceProviderOptions { ValidateOnBuild = true, ValidateScopes = true });
}
