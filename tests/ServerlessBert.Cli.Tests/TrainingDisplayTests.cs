using ServerlessBert.Cli.Output;
using ServerlessBert.Modeling.Evaluation;
using ServerlessBert.Modeling.Training;
using Spectre.Console;

namespace ServerlessBert.Cli.Tests;

public sealed class TrainingDisplayTests
{
    [Fact]
    public void Without_a_terminal_it_prints_the_first_step_and_each_evaluation()
    {
        string[] lines = Show(isWatched: false).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(2, lines.Length);
        // One step of 8 reviews took 2 s; 99 are left.
        Assert.Equal("step 1/100  loss 1.500  lr 5.0e-5  4.0 reviews/s  3:18 left", lines[0].TrimEnd());
        Assert.StartsWith("epoch 0.5: training loss 1.200, held-out loss ", lines[1]);
        Assert.Contains("accuracy 0.500 (", lines[1]);
    }

    [Fact]
    public void On_a_terminal_a_bar_shows_loss_learning_rate_and_time_left()
    {
        string drawn = Show(isWatched: true);
        Assert.Contains("step 50/100", drawn);
        Assert.Contains("lr 5.0e-5", drawn);
        // The last 49 steps took 49 s; 50 are left, and a loss is the mean of the last ones.
        Assert.Contains("loss 1.206  lr 5.0e-5  8.0 reviews/s  0:50 left", drawn);
        Assert.Contains("held-out loss", drawn);
    }

    [Fact]
    public void A_second_training_has_a_pace_of_its_own()
    {
        var output = new StringWriter();
        IAnsiConsole console =
            AnsiConsole.Create(
            new AnsiConsoleSettings { Ansi = AnsiSupport.Yes, Interactive = InteractionSupport.Yes, Out = new AnsiConsoleOutput(output) });
        console.Profile.Width = 200;
        TrainingDisplay.Run(console, isWatched: true, progress =>
        {
            for (int step = 1; step <= 50; step++) progress.Report(Step(step, 1.2)); // a pretraining, say
            for (int step = 1; step <= 2; step++) progress.Report(Step(step, 3));
            return 0;
        });
        Assert.Contains("step 2/100  loss 3.000  lr 5.0e-5  8.0 reviews/s  1:38 left", output.ToString());
    }

    /// <summary>A training of 100 steps a second each but the first, cut after 50.</summary>
    private static string Show(bool isWatched)
    {
        var output = new StringWriter();
        IAnsiConsole console =
            AnsiConsole.Create(
            new AnsiConsoleSettings { Ansi = AnsiSupport.Yes, Interactive = InteractionSupport.Yes, Out = new AnsiConsoleOutput(output) });
        console.Profile.Width = 200;
        int steps = TrainingDisplay.Run(console, isWatched, progress =>
        {
            for (int step = 1; step <= 50; step++) progress.Report(Step(step, step == 1 ? 1.5 : 1.2));
            progress.Report(Step(50, 1.2) with { Evaluation = EvaluationMetrics.Of([0, 1], [[0.9f, 0.1f], [0.8f, 0.2f]]) });
            return 50;
        });
        Assert.Equal(50, steps);
        return output.ToString();
    }

    private static TrainingProgress Step(int step, double loss) =>
        new(step, 100, step / 100.0, loss, 5e-5, step * 100, step * 110, TimeSpan.FromSeconds(step + 1), Reviews: step * 8);
}
