using ServerlessBert.Modeling.Training;

namespace ServerlessBert.Modeling.Tests.Training;

public class TrainingPlanTests
{
    private static readonly int[] Lengths = [.. Enumerable.Range(1, 103)];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Every_row_stands_once_in_each_epoch_and_the_last_step_takes_what_is_left(bool padToMax)
    {
        var plan = new StepPlan(Lengths, new TrainingOptions { BatchSize = 8, GradientAccumulation = 3, Epochs = 2, PadToMax = padToMax });

        Assert.Equal((5, 10), (plan.StepsAnEpoch, plan.TotalSteps)); // 13 batches, three a step
        PlannedStep[] steps = [.. plan.After(0)];
        Assert.Equal(Enumerable.Range(1, 10), steps.Select(step => step.Step));
        foreach (var epoch in steps.Chunk(5))
            Assert.Equal(Enumerable.Range(0, 103), epoch.SelectMany(step => step.Batches).SelectMany(batch => batch).Order());
        Assert.NotEqual(steps[0].Batches, steps[5].Batches);
        Assert.Equal([5, 10], steps.Where(step => step.IsEvaluated).Select(step => step.Step));
    }

    [Fact]
    public void What_follows_a_step_does_not_depend_on_where_one_begins()
    {
        var options = new TrainingOptions { BatchSize = 8, Epochs = 3, EvaluateEvery = 4 };
        PlannedStep[] whole = [.. new StepPlan(Lengths, options).After(0)];

        foreach (int done in new[] { 1, 12, 13, 14, 38 })
        {
            PlannedStep[] rest = [.. new StepPlan(Lengths, options).After(done)];
            Assert.Equal(whole[done..].Select(step => (step.Step, step.LearningRate, step.IsEvaluated)),
                rest.Select(step => (step.Step, step.LearningRate, step.IsEvaluated)));
            Assert.Equal(whole[done..].Select(step => step.Batches), rest.Select(step => step.Batches));
        }
        Assert.Empty(new StepPlan(Lengths, options).After(whole.Length));
    }

    [Fact]
    public void Evaluations_come_every_so_many_steps_and_at_the_end()
    {
        var plan = new StepPlan(Lengths, new TrainingOptions { BatchSize = 8, MaxSteps = 10, EvaluateEvery = 4 });

        Assert.Equal([4, 8, 10], plan.After(0).Where(step => step.IsEvaluated).Select(step => step.Step));
    }

    [Fact]
    public void Warm_up_is_a_share_of_the_steps_or_a_number_of_them()
    {
        double[] ByRatio() =>
            [.. new StepPlan(Lengths, new TrainingOptions { BatchSize = 8, MaxSteps = 10, WarmupRatio = 0.2, LearningRate = 0.1 })
            .After(0).Select(step => step.LearningRate)];
        double[] BySteps() =>
            [.. new StepPlan(Lengths, new TrainingOptions { BatchSize = 8, MaxSteps = 10, WarmupSteps = 2, LearningRate = 0.1 }).After(0)
            .Select(step => step.LearningRate)];

        Assert.Equal([0, 0.05, 0.1, 0.0875], ByRatio()[..4].Select(rate => Math.Round(rate, 12)));
        Assert.Equal(ByRatio(), BySteps());
    }
}
