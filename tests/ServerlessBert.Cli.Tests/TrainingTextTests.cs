using ServerlessBert.Cli.Output;
using ServerlessBert.Pipeline.Retraining;

namespace ServerlessBert.Cli.Tests;

public class TrainingTextTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    private static readonly TrainingJobState Run = new()
    {
        Id = "0123456789",
        RequestedBy = "schedule",
        Started = Now,
        Updated = Now,
        Stage = TrainingStage.Training,
        Host = "gpu-1",
        Attempts = 2,
        Step = 120,
        TotalSteps = 400,
        Loss = 0.91,
        LearningRate = 2e-5,
        SecondsLeft = 180,
    };

    [Fact]
    public void A_running_training_tells_its_step_loss_and_time_left() =>
        Assert.Equal("01234567, requested by schedule: training, step 120 of 400, loss 0.910, lr 2.0e-5, about 3 min left on gpu-1, "
            + "attempt 2", TrainingText.Of(Run, Now));

    [Fact]
    public void One_whose_trainer_is_silent_says_so() =>
        Assert.Contains("no heartbeat since 2026-01-02", TrainingText.Of(Run, Now.AddMinutes(5)));

    [Fact]
    public void One_that_waits_says_why_the_last_attempt_ended() =>
        Assert.Contains(
            "waits to be retried, attempt 2; the last attempt failed: no memory",
            TrainingText.Of(Run with { Stage = TrainingStage.Waiting, LastError = "no memory" }, Now));

    [Fact]
    public void One_that_has_ended_tells_how() =>
        Assert.Contains(
            "failed: its data is gone (2026",
            TrainingText.Of(Run with { Stage = TrainingStage.Failed, Outcome = "its data is gone", Ended = Now }, Now));
}
