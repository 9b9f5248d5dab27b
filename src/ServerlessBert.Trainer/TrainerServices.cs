using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using ServerlessBert.Modeling.Recipes;
using ServerlessBert.Modeling.Training;
using ServerlessBert.Pipeline.Models;
using ServerlessBert.Pipeline.Operations;
using ServerlessBert.Pipeline.Retraining;
using ServerlessBert.Pipeline.Settings;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Reviews;

namespace ServerlessBert.Trainer;

/// <summary>Registers the training job.</summary>
public static class TrainerServices
{
    /// <summary>
    /// Adds the job and what it works on, configured from <paramref name="configuration"/>. What was registered before
    /// stays, as another storage or another listener to the progress.
    /// </summary>
    public static IServiceCollection AddTrainer(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddLogging();
        services.TryAddSingleton(TimeProvider.System);
        services.AddSettings<TrainerOptions>(configuration, TrainerOptions.Section);
        services.AddSettings<ReviewOptions>(configuration, ReviewPipelineServices.ReviewSection);
        services.TryAddSingleton(_ => PipelineStorage.FromConfiguration(configuration));
        services.TryAddSingleton(provider => ComputeDevice.Named(provider.GetRequiredService<TrainerOptions>().Device));

        services.TryAddSingleton(provider =>
            new ModelRegistry(provider.GetRequiredService<PipelineStorage>(), provider.GetRequiredService<TimeProvider>()));
        services.TryAddSingleton<ModelPruning>();
        services.TryAddSingleton<TrainingStateStore>();
        services.TryAddSingleton<IProgress<TrainingProgress>, TrainingProgressLog>();
        services.TryAddSingleton<TrainingPlanner>();
        services.TryAddSingleton<TrainingPreparation>();
        services.TryAddSingleton<ResumableTraining>();
        services.TryAddSingleton<ModelComparison>();
        services.TryAddSingleton<Promotion>();
        services.TryAddSingleton<TrainingAttempt>();
        services.TryAddSingleton<TrainingJob>();
        return services;
    }
}
