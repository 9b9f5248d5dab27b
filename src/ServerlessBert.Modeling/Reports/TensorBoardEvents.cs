using TorchSharp;
using TorchSharp.Modules;

namespace ServerlessBert.Modeling;

/// <summary>A training's curves as TensorBoard shows them: <c>tensorboard --logdir FOLDER</c>.</summary>
internal sealed class TensorBoardEvents
{
    /// <summary>The name of the events' folder in a checkpoint folder.</summary>
    public const string FolderName = "tensorboard";

    private readonly SummaryWriter writer;

    /// <summary>Begins a file of events.</summary>
    /// <param name="folder">The checkpoint folder.</param>
    /// <param name="goesOn">Whether events of an earlier piece of the same training stay beside it.</param>
    public TensorBoardEvents(string folder, bool goesOn)
    {
        string events = Path.Combine(folder, FolderName);
        if (!goesOn && Directory.Exists(events))
        {
            foreach (string file in Directory.GetFiles(events, "events.out.tfevents.*")) File.Delete(file);
        }
        writer = torch.utils.tensorboard.SummaryWriter(events, createRunName: false);
    }

    /// <summary>Adds a step.</summary>
    public void Add(LoggedStep step)
    {
        Add("train/loss", step.Loss, step.Step);
        Add("train/learning_rate", step.LearningRate, step.Step);
        if (step.GradientNorm > 0) Add("train/gradient_norm", step.GradientNorm, step.Step);
    }

    /// <summary>Adds an evaluation.</summary>
    public void Add(LoggedEvaluation evaluation)
    {
        EvaluationMetrics metrics = evaluation.Evaluation;
        Add("evaluation/loss", metrics.Loss, evaluation.Step);
        Add("evaluation/accuracy", metrics.Accuracy, evaluation.Step);
        Add("evaluation/macro_f1", metrics.MacroF1, evaluation.Step);
        Add("evaluation/mean_absolute_error", metrics.MeanAbsoluteError, evaluation.Step);
        Add("evaluation/within_one", metrics.WithinOne, evaluation.Step);
        Add("evaluation/calibration_error", metrics.CalibrationError, evaluation.Step);
    }

    private void Add(string tag, double value, int step) => writer.add_scalar(tag, (float)value, step);
}
