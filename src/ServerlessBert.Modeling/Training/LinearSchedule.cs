namespace ServerlessBert.Modeling;

/// <summary>Linear warm-up from 0 to 1, then linear decay to 0 at the last step: the Trainer's default schedule.</summary>
/// <param name="TotalSteps">Optimizer steps of the whole training.</param>
/// <param name="WarmupSteps">Steps of the climb.</param>
public readonly record struct LinearSchedule(int TotalSteps, int WarmupSteps)
{
    /// <summary>The factor on the peak learning rate for a step, counted from 0.</summary>
    public double FactorAt(int step) =>
        step < WarmupSteps
            ? (double)step / Math.Max(1, WarmupSteps)
            : Math.Max(0, (double)(TotalSteps - step) / Math.Max(1, TotalSteps - WarmupSteps));
}
