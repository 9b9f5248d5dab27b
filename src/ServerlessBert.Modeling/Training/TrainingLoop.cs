using System.Collections.Immutable;
using System.Diagnostics;
using ServerlessBert.Modeling.Bert;
using ServerlessBert.Modeling.Checkpoints;
using ServerlessBert.Modeling.Evaluation;
using ServerlessBert.Modeling.Optimizers;
using ServerlessBert.Modeling.Training.Checkpointing;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling.Training;

/// <summary>One training under way: step after step, evaluations and checkpoints between them, until a reason to end.</summary>
internal sealed class TrainingLoop : IDisposable
{
    private readonly Checkpoint checkpoint;
    private readonly TrainingOptions options;
    private readonly CheckpointStore? store;
    private readonly StepPlan plan;
    private readonly ValidationSet heldOut;
    private readonly FlatOptimizer optimizer;
    private readonly EmaWeights? average;
    private readonly TrainingLoss loss;
    private readonly TrainingStep step;
    private readonly BestWeights best = new();
    private readonly TrainingState state = new();
    private readonly Precision precision;
    private readonly double secondsBefore;
    private readonly long start = Stopwatch.GetTimestamp();
    private float[][]? bestProbabilities;

    /// <summary>Sets a training up, or goes on with one where the store has its checkpoint.</summary>
    /// <param name="checkpoint">The model, on <paramref name="device"/>, and its tokenizer.</param>
    /// <param name="rows">What is learned from.</param>
    /// <param name="evaluation">What is measured on; may be empty.</param>
    /// <param name="options">Sound options.</param>
    /// <param name="device">Where it computes.</param>
    /// <param name="padTo">Least sequence length.</param>
    /// <param name="store">Where checkpoints are, or null.</param>
    public TrainingLoop(
        Checkpoint checkpoint, EncodedReviews rows, EncodedReviews evaluation, TrainingOptions options, Device device, int padTo,
        CheckpointStore? store)
    {
        (this.checkpoint, this.options, this.store) = (checkpoint, options, store);
        BertForSequenceClassification model = checkpoint.Model;
        plan = new StepPlan(rows.Lengths, options);
        heldOut = new ValidationSet(evaluation, checkpoint, device);
        var groups = ParameterGroup.Of(
            model.named_parameters(), options.WeightDecay, name =>
            LayerwiseDecay.FactorOf(name, model.Config.NumHiddenLayers, options.LayerwiseLearningRateDecay));
        optimizer = options.Optimizer == OptimizerKind.AdamW
            ? new FlatAdamW(groups, new AdamWSettings { Beta1 = options.Beta1, Beta2 = options.Beta2, Epsilon = options.Epsilon })
            : new FlatSgd(groups, options.Momentum);
        average = options.EmaDecay > 0 ? new EmaWeights(optimizer, options.EmaDecay) : null;
        loss = new TrainingLoss(options, rows.Labels, model.Config.NumLabels, device);
        step = new TrainingStep(checkpoint, rows, optimizer, loss, options, device, padTo);
        SavedTraining? saved = store?.Resume(Tensors, MakeBest);
        if (saved is not null)
        {
            state = saved.State;
            secondsBefore = state.Seconds;
            optimizer.Resume(saved.OptimizerSteps);
        }
        precision = saved?.Precision ?? options.Precision.ChosenFor(device);
        model.ComputeDtype = precision.On(device);
    }

    /// <summary>Trains until there is a reason to end; the model then has the weights to keep.</summary>
    /// <param name="progress">Told after every step and every evaluation.</param>
    /// <param name="cancellationToken">Stops after the present step.</param>
    public TrainingResult ToItsEnd(IProgress<TrainingProgress>? progress, CancellationToken cancellationToken)
    {
        TrainingEnd end = TrainingEnd.Completed;
        foreach (PlannedStep planned in plan.After(state.Step))
        {
            if (ReasonToEnd(cancellationToken) is { } reason)
            {
                end = reason;
                break;
            }
            Take(planned, progress);
            average?.Update();
            if (planned.IsEvaluated && !heldOut.IsEmpty) Evaluate(planned.LearningRate, progress);
            store?.SaveIfDue(state.Step, Saved, Tensors);
        }
        if (end is TrainingEnd.Cancelled or TrainingEnd.TimeLimit)
        {
            // First the checkpoint, without the evaluation that a training which is not cut would not make here.
            if (state.Step > 0) store?.Save(state.Step, Saved(), Tensors());
            if (!heldOut.IsEmpty && state.Evaluations.LastOrDefault()?.Step != state.Step) Evaluate(0, progress);
        }
        return Result(end);
    }

    /// <summary>Frees what the training needed beside the model.</summary>
    public void Dispose()
    {
        average?.Dispose();
        optimizer.Dispose();
        loss.Dispose();
        best.Dispose();
    }

    private TrainingEnd? ReasonToEnd(CancellationToken cancellationToken) =>
        options.EarlyStoppingPatience is { } patience && state.EvaluationsSinceBest >= patience ? TrainingEnd.EarlyStopping
        : cancellationToken.IsCancellationRequested ? TrainingEnd.Cancelled
        : Seconds / 3600 >= options.MaxHours ? TrainingEnd.TimeLimit
        : null;

    private void Take(PlannedStep planned, IProgress<TrainingProgress>? progress)
    {
        checkpoint.Model.train();
        StepOutcome outcome = step.Take(planned);
        if (!outcome.IsFinite)
        {
            (string what, double value) = double.IsFinite(outcome.Loss) ? ("gradient", outcome.GradientNorm) : ("loss", outcome.Loss);
            throw new TrainingException(
                FormattableString.Invariant($"The {what} became {value} at step {planned.Step} of {plan.TotalSteps}, ")
                + "and the weights were not changed by it"
                + (store?.Newest is { } kept ? $"; {kept} is the last good checkpoint" : "")
                + FormattableString.Invariant($"; try a learning rate below {options.LearningRate:g}, or a longer warm-up."));
        }
        state.Add(outcome);
        bool isLogged = planned.Step % options.LogEvery == 0 || planned.Step == plan.TotalSteps;
        progress?.Report(Progress(outcome.Loss, planned.LearningRate) with { GradientNorm = outcome.GradientNorm, IsLogged = isLogged });
    }

    private void Evaluate(double learningRate, IProgress<TrainingProgress>? progress)
    {
        average?.Lend();
        float[][] probabilities = heldOut.Probabilities();
        EvaluationMetrics metrics = heldOut.MetricsOf(probabilities);
        state.Evaluations.Add(new EvaluatedStep(state.Step, state.RecentLoss, metrics));
        if (state.EvaluationsSinceBest == 0 || !options.LoadBestModelAtEnd)
        {
            if (options.LoadBestModelAtEnd) best.Keep(checkpoint.Model);
            bestProbabilities = probabilities;
        }
        average?.TakeBack();
        progress?.Report(Progress(state.RecentLoss, learningRate) with { Evaluation = metrics });
    }

    private TrainingProgress Progress(double lossNow, double learningRate) => new(
        state.Step, plan.TotalSteps, (double)state.Step / plan.StepsAnEpoch, lossNow, learningRate,
        state.Tokens, state.PaddedTokens, TimeSpan.FromSeconds(Seconds), Reviews: state.Reviews);

    private double Seconds => secondsBefore + Stopwatch.GetElapsedTime(start).TotalSeconds;

    private SavedTraining Saved()
    {
        state.Seconds = Seconds;
        return new SavedTraining
        {
            Identity = store!.Identity,
            Options = options,
            Precision = precision,
            Threads = get_num_threads(),
            OptimizerSteps = optimizer.Steps,
            State = state
        };
    }

    private void MakeBest(bool hasBest)
    {
        if (hasBest) best.Keep(checkpoint.Model);
        else best.Clear();
    }

    private CheckpointTensors Tensors() =>
        new(checkpoint.Model.state_dict(), optimizer.State, average?.State ?? ImmutableDictionary<string, Tensor>.Empty, best.Tensors);

    private TrainingResult Result(TrainingEnd end)
    {
        EvaluatedStep? kept = options.LoadBestModelAtEnd ? state.Best : state.Evaluations.LastOrDefault();
        average?.Lend(); // for good
        best.Restore(checkpoint.Model);
        if (kept is not null) bestProbabilities ??= heldOut.Probabilities(); // kept by a piece before this one
        double seconds = Seconds;
        return new TrainingResult
        {
            Steps = state.Step,
            End = end,
            Seconds = seconds,
            ReviewsPerSecond = state.Reviews / seconds,
            TokensPerSecond = state.Tokens / seconds,
            PaddingShare = state.PaddedTokens == 0 ? 0 : 1 - (double)state.Tokens / state.PaddedTokens,
            FinalLoss = state.RecentLoss,
            Evaluation = kept?.Metrics,
            Calibration = bestProbabilities is null ? null : Calibration.Fit(heldOut.Labels, bestProbabilities),
            KeptStep = kept?.Step ?? state.Step,
            Evaluations = state.Evaluations,
            HeldOutProbabilities = bestProbabilities,
        };
    }
}
