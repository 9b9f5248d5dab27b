using ServerlessBert.Modeling;
using ServerlessBert.Pipeline.Messages;
using ServerlessBert.Pipeline.Models;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Pipeline.Training;
using TorchSharp;

namespace ServerlessBert.Trainer;

/// <summary>Decides what a request means, as things stand now: files, start, settings.</summary>
/// <param name="storage">Where the files are.</param>
/// <param name="registry">The models.</param>
/// <param name="options">How the job behaves.</param>
/// <param name="device">Where it computes, which decides the number type.</param>
internal sealed class TrainingPlanning(PipelineStorage storage, ModelRegistry registry, TrainerOptions options, torch.Device device)
{
    /// <summary>Makes the plan.</summary>
    /// <exception cref="TrainingException">The request asks for what is not there, or for a setting that makes no sense.</exception>
    public async Task<TrainingPlan> MakeAsync(TrainingRequest request, CancellationToken cancellationToken)
    {
        string? live = (await registry.CurrentAsync(cancellationToken))?.Version;
        string from = request.Base ?? (live is null ? "preset:mini" : "current");
        string? preset = from.StartsWith("preset:", StringComparison.Ordinal) ? from["preset:".Length..] : null;
        string? parent = preset is not null ? null
            : from != "current" ? from["version:".Length..]
            : live ?? throw new TrainingException("The request starts from the live model, but none is live; start from a preset (preset:mini), or publish and promote a model first.");

        TrainingFiles files = await TrainingFiles.ListAsync(storage, request.Data, cancellationToken);
        if (files.Data.Count == 0)
            throw new TrainingException($"There is no labelled file in {StorageNames.TrainingData}{(request.Data is { } names ? $" under {string.Join(", ", names)}" : "")}; upload a file with stars 1-5 or label 0-4 to that container.");
        TrainingOptions settings = request.Over(preset is null ? new TrainingOptions() : TrainingOptions.FromScratch);
        settings = settings with { MaxSteps = Least(settings.MaxSteps, options.MaxSteps) };
        settings.Validate();
        DateTimeOffset now = DateTimeOffset.UtcNow;
        return new TrainingPlan
        {
            Created = new DateTimeOffset(now.UtcTicks / TimeSpan.TicksPerSecond * TimeSpan.TicksPerSecond, TimeSpan.Zero),
            Preset = preset,
            VocabularySize = request.VocabularySize,
            Parent = parent,
            // Chosen by a measurement, which must not come out otherwise at the next attempt.
            Options = settings.ChosenFor(device),
            EvalFraction = request.EvalFraction ?? 0.1,
            Data = files.Data,
            Evaluation = files.Evaluation,
        };
    }

    private static int? Least(int? one, int? other) => one is { } first && other is { } second ? Math.Min(first, second) : one ?? other;
}
