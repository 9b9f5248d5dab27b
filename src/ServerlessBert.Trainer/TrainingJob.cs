using System.Text.Json;
using ServerlessBert.Modeling;
using ServerlessBert.Pipeline.Messages;
using ServerlessBert.Pipeline.Models;
using ServerlessBert.Pipeline.Reviews;
using ServerlessBert.Pipeline.Storage;

namespace ServerlessBert.Trainer;

/// <summary>One request's way: data, fine-tuning, evaluation against the live model, publishing, and the pointer where the gate passes.</summary>
/// <param name="storage">Where requests, data and models are.</param>
/// <param name="registry">The models.</param>
/// <param name="options">How the job behaves.</param>
/// <param name="train">Runs a training while its progress is shown.</param>
/// <param name="say">Told what a reader of the log should know.</param>
public sealed class TrainingJob(
    PipelineStorage storage,
    ModelRegistry registry,
    TrainerOptions options,
    Func<Func<IProgress<TrainingProgress>, TrainingRecord>, TrainingRecord> train,
    Action<string> say)
{
    private static readonly JsonSerializerOptions Readable = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    /// <summary>Takes one request, if one waits, and sees it through.</summary>
    /// <param name="stop">Stops after the present step and puts the request back.</param>
    /// <returns>The program's exit code.</returns>
    public async Task<int> RunOnceAsync(CancellationToken stop)
    {
        await using HeldRequest? held = await HeldRequest.TakeAsync(storage, options.Visibility, stop);
        if (held is null)
        {
            say($"no request waits in {StorageNames.TrainingRequests}");
            return TrainerExitCode.Done;
        }
        if (held.Attempt > options.MaxAttempts)
        {
            await held.PoisonAsync($"The request was tried {options.MaxAttempts} times and never came to an end; see the logs of the executions.");
            say($"gave the request up after {options.MaxAttempts} attempts; it is in {StorageNames.TrainingRequests}{StorageNames.PoisonSuffix}");
            return TrainerExitCode.Failed;
        }
        return await SeeThroughAsync(held, stop);
    }

    private async Task<int> SeeThroughAsync(HeldRequest held, CancellationToken stop)
    {
        string folder = Directory.CreateTempSubdirectory("serverlessbert-training-").FullName;
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, held.Lost);
        try
        {
            TrainingRequest request = TrainingRequest.Parse(held.Body);
            await TrainAndPublishAsync(request, folder, either.Token);
            await held.CompleteAsync();
            return TrainerExitCode.Done;
        }
        catch (OperationCanceledException) when (held.Lost.IsCancellationRequested)
        {
            say("another worker has the request now, or storage went away; nothing was published");
            return TrainerExitCode.Interrupted;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            await held.ReleaseAsync();
            say("stopped; the request is back in the queue");
            return TrainerExitCode.Interrupted;
        }
        catch (Exception exception) when (exception is TrainingException or MessageFormatException or ModelUnavailableException or InvalidDataException)
        {
            // Trying again would end the same way.
            await held.PoisonAsync(exception.Message);
            say($"failed: {exception.Message}");
            return TrainerExitCode.Failed;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private async Task TrainAndPublishAsync(TrainingRequest request, string folder, CancellationToken cancellationToken)
    {
        string? liveAtStart = (await registry.CurrentAsync(cancellationToken))?.Version;
        (TrainingStart start, string? parent) = await StartAsync(request, liveAtStart, folder, cancellationToken);
        TrainingOptions settings = OptionsOf(request, start);
        settings.Validate();

        TrainingData data = await TrainingData.ReadAsync(storage, request.Data, new ReviewOptions(), say, cancellationToken);
        StratifiedSplit split = StratifiedSplit.ByTextHash(data.Reviews.Rows, request.EvalFraction ?? 0.1, settings.Seed);
        if (split.Evaluation.Count < options.MinEvaluationRows)
            throw new TrainingException($"Only {split.Evaluation.Count} of {data.Reviews.Rows.Count} labelled reviews are held out to decide on, and {options.MinEvaluationRows} are needed; add labelled reviews or raise evalFraction.");
        say($"{split.Train.Count:N0} reviews to learn from, {split.Evaluation.Count:N0} held out");

        string candidate = Path.Combine(folder, "candidate");
        TrainingRecord record = Train(new FineTuning(start, settings, ComputeDevice.Named(options.Device), data.Sources, parent), split, candidate, cancellationToken);
        cancellationToken.ThrowIfCancellationRequested();

        PromotionGate gate = await DecideAsync(record.Result.Evaluation!, split, folder, cancellationToken);
        await File.WriteAllTextAsync(Path.Combine(candidate, PromotionGate.FileName), JsonSerializer.Serialize(gate, Readable), cancellationToken);
        ModelManifest published = await registry.PublishAsync(candidate, record.Started, cancellationToken);
        say($"published {published.Version}: {gate.Reason}");
        if (!gate.Passed)
        {
            say($"not promoted; {gate.Current} stays live (sbert models promote {published.Version} would change that)");
            return;
        }
        await registry.PromoteAsync(published.Version, gate.Reason, onlyIfCurrent: gate.Current ?? "", cancellationToken);
        say($"promoted {published.Version}");
    }

    private TrainingRecord Train(FineTuning fineTuning, StratifiedSplit split, string candidate, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(TimeSpan.FromHours(options.MaxHours));
        TrainingRecord record = train(progress => fineTuning.Run(split, candidate, progress, say, limit.Token));
        say($"{record.Result.Steps:N0} steps in {record.Result.Seconds:N0} s{(record.Result.IsCancelled ? $", stopped by the limit of {options.MaxHours} hours" : "")}");
        return record;
    }

    private async Task<(TrainingStart Start, string? Parent)> StartAsync(TrainingRequest request, string? live, string folder, CancellationToken cancellationToken)
    {
        string from = request.Base ?? (live is null ? "preset:mini" : "current");
        if (from.StartsWith("preset:", StringComparison.Ordinal)) return (new TrainingStart.FromScratch(from["preset:".Length..]), null);
        string version = from == "current"
            ? live ?? throw new TrainingException("The request starts from the live model, but none is live; start from a preset (preset:mini), or publish and promote a model first.")
            : from["version:".Length..];
        string parent = Path.Combine(folder, "base");
        await registry.DownloadAsync(version, parent, cancellationToken);
        return (new TrainingStart.FromFolder(parent), version);
    }

    private static TrainingOptions OptionsOf(TrainingRequest request, TrainingStart start)
    {
        TrainingOptions defaults = start.DefaultOptions;
        return defaults with
        {
            Epochs = request.Epochs ?? defaults.Epochs,
            BatchSize = request.BatchSize ?? defaults.BatchSize,
            LearningRate = request.LearningRate ?? defaults.LearningRate,
            MaxLength = request.MaxLength ?? defaults.MaxLength,
            MaxSteps = request.MaxSteps ?? defaults.MaxSteps,
            Seed = request.Seed ?? defaults.Seed,
        };
    }

    private async Task<PromotionGate> DecideAsync(EvaluationMetrics candidate, StratifiedSplit split, string folder, CancellationToken cancellationToken)
    {
        string? live = (await registry.CurrentAsync(cancellationToken))?.Version;
        if (live is null) return PromotionGate.Decide(candidate, null, null, options.Tolerance);

        string current = Path.Combine(folder, "current");
        await registry.DownloadAsync(live, current, cancellationToken);
        using var classifier = ReviewClassifier.Load(current, new InferenceOptions { Dtype = InferenceDtype.Float32 });
        if (classifier.NumLabels <= split.Evaluation.Max(review => review.Label))
            throw new TrainingException($"The live model {live} knows {classifier.NumLabels} ratings and the data has more, so the two cannot be compared; promote a model of five ratings by hand first.");
        IReadOnlyList<Classification> said = classifier.Classify([.. split.Evaluation.Select(review => review.Text)], cancellationToken);
        var metrics = EvaluationMetrics.Of([.. split.Evaluation.Select(review => review.Label)], [.. said.Select(one => one.Probabilities)]);
        return PromotionGate.Decide(candidate, live, metrics, options.Tolerance);
    }
}
