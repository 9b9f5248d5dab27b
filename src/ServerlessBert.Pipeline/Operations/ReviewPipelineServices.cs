using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using ServerlessBert.Modeling.Inference;
using ServerlessBert.Pipeline.Batches;
using ServerlessBert.Pipeline.Drift;
using ServerlessBert.Pipeline.Models;
using ServerlessBert.Pipeline.Retraining;
using ServerlessBert.Pipeline.Runs;
using ServerlessBert.Pipeline.Settings;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Pipeline.Telemetry;
using ServerlessBert.Reviews;

namespace ServerlessBert.Pipeline.Operations;

/// <summary>Registers the pipeline.</summary>
public static class ReviewPipelineServices
{
    /// <summary>The configuration section of <see cref="ReviewOptions"/>.</summary>
    public const string ReviewSection = "ServerlessBert:Reviews";

    /// <summary>The configuration section of <see cref="InferenceOptions"/>.</summary>
    public const string InferenceSection = "ServerlessBert:Inference";

    /// <summary>
    /// Adds storage, runs, registry and model cache, configured from <paramref name="configuration"/>. What was
    /// registered before stays, as another clock or another way to load a model.
    /// </summary>
    public static IServiceCollection AddReviewPipeline(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddLogging();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(_ => PipelineStorage.FromConfiguration(configuration));
        services.AddSettings<ReviewOptions>(configuration, ReviewSection);
        services.AddSettings<InferenceOptions>(configuration, InferenceSection);
        services.AddSettings<RunOptions>(configuration, RunOptions.Section);
        services.AddSettings<ModelCacheOptions>(configuration, ModelCacheOptions.Section);
        services.AddSettings<ModelPruningOptions>(configuration, ModelPruningOptions.Section);
        services.AddSettings<DriftOptions>(configuration, DriftOptions.Section);
        services.AddSettings<RetrainingOptions>(configuration, RetrainingOptions.Section);
        services.TryAddSingleton<LoadClassifier>(provider => (folder, decided) => Load(provider, folder, decided));

        services.TryAddSingleton(provider =>
            new ModelRegistry(provider.GetRequiredService<PipelineStorage>(), provider.GetRequiredService<TimeProvider>()));
        services.TryAddSingleton<ModelDtypes>();
        services.TryAddSingleton<ModelCache>();
        services.TryAddSingleton<ModelPruning>();
        services.TryAddSingleton<HostHeartbeats>();
        services.AddHostedService<HostHeartbeatService>();
        services.TryAddSingleton<DriftRetraining>();
        services.TryAddSingleton<DriftDetector>();
        services.TryAddSingleton<RunStore>();
        services.TryAddSingleton<RunPublisher>();
        services.TryAddSingleton<RunRecovery>();
        services.TryAddSingleton<FileSplitter>();
        services.TryAddSingleton<BatchClassifier>();
        services.TryAddSingleton<HostReadiness>();
        services.TryAddSingleton<BatchDelivery>();
        services.TryAddSingleton<FileDelivery>();
        services.TryAddSingleton<RunSweep>();
        services.TryAddSingleton<TrainingStateStore>();
        services.TryAddSingleton<TrainingRequests>();
        services.TryAddSingleton<RetrainingSchedule>();
        services.TryAddSingleton<PipelineStatus>();
        return services;
    }

    private static CheckpointClassifier Load(IServiceProvider provider, string folder, InferenceDtype? decided)
    {
        var options = provider.GetRequiredService<InferenceOptions>();
        ReviewClassifier classifier = ReviewClassifier.Load(folder, options with { Dtype = decided ?? options.Dtype });
        provider.GetRequiredService<ILogger<ModelCache>>().ModelComputes(classifier.Dtype, classifier.IsFast
            ? "oneDNN's packed layers" : "the plain module tree");
        return new CheckpointClassifier(classifier);
    }
}
