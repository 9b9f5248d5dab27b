using static TorchSharp.torch;
using static TorchSharp.torch.optim.lr_scheduler;

namespace ServerlessBert.Modeling.Optimizers;

/// <summary>How the learning rate goes on after its warm-up.</summary>
public enum ScheduleKind
{
    /// <summary>Straight down to 0 at the last step: BERT's and the Trainer's default.</summary>
    Linear,

    /// <summary>
    /// Half a cosine down to 0 (Loshchilov and Hutter 2017, arXiv:1608.03983, without restarts): longer near the peak, gentler at
    /// the end.
    /// </summary>
    Cosine,

    /// <summary>Stays at the peak.</summary>
    Constant,
}

/// <summary>The factor on the peak learning rate: a linear climb from 0, then the kind's way.</summary>
/// <param name="Kind">The way after the climb.</param>
/// <param name="TotalSteps">Optimizer steps of the whole training.</param>
/// <param name="WarmupSteps">Steps of the climb.</param>
public readonly record struct LearningRateSchedule(ScheduleKind Kind, int TotalSteps, int WarmupSteps = 0)
{
    /// <summary>The factor for a step, counted from 0.</summary>
    public double FactorAt(int step)
    {
        if (step < WarmupSteps) return (double)step / WarmupSteps;
        double done = Math.Min(1, (double)(step - WarmupSteps) / Math.Max(1, TotalSteps - WarmupSteps));
        return Kind switch
        {
            ScheduleKind.Linear => 1 - done,
            ScheduleKind.Cosine => (1 + Math.Cos(Math.PI * done)) / 2,
            ScheduleKind.Constant => 1,
            _ => throw new System.Diagnostics.UnreachableException(),
        };
    }

    /// <summary>
    /// The schedule as TorchSharp's own: its <c>step()</c> after each of the optimizer's sets the next step's learning rate,
    /// from the optimizer's rate as the peak; <c>get_linear_schedule_with_warmup</c> and its siblings in Python.
    /// </summary>
    /// <param name="optimizer">One of TorchSharp's optimizers.</param>
    public LRScheduler For(optim.Optimizer optimizer) => optim.lr_scheduler.LambdaLR(optimizer, FactorAt);
}
