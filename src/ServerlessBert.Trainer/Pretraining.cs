using ServerlessBert.Modeling;
using TorchSharp;

namespace ServerlessBert.Trainer;

/// <summary>A pretraining from its start to a checkpoint folder, which a fine-tuning can start from: what <c>sbert pretrain</c> does.</summary>
/// <param name="start">What it starts from.</param>
/// <param name="options">Every setting.</param>
/// <param name="device">Where it computes.</param>
public sealed class Pretraining(TrainingStart start, PretrainingOptions options, torch.Device device)
{
    /// <summary>Pretrains and saves.</summary>
    /// <param name="texts">The corpus.</param>
    /// <param name="folder">Where the checkpoint goes; made where missing.</param>
    /// <param name="progress">Told after every step.</param>
    /// <param name="remark">Told what a reader of the log should know.</param>
    /// <param name="cancellationToken">Stops after the present step; what was learned is saved.</param>
    /// <exception cref="TrainingException">There is not enough text, an option is out of range, or the loss is no number.</exception>
    public PretrainingResult Run(IReadOnlyList<string> texts, string folder, IProgress<TrainingProgress> progress, Action<string> remark, CancellationToken cancellationToken)
    {
        if (texts.Count == 0) throw new TrainingException("There is no text to pretrain on.");
        using BertCheckpoint checkpoint = start.Open(texts, options.Seed, cancellationToken);
        using BertForMaskedLM model = BertForMaskedLM.Over(checkpoint.Model);
        if (start is TrainingStart.FromFolder(string path) && !MaskedLMHead.TryLoad(model, path))
            remark("The head of the masked language model is not in the checkpoint and starts fresh.");
        remark($"pretraining on {texts.Count:N0} texts: {checkpoint.Config.NumHiddenLayers} layers of {checkpoint.Config.HiddenSize}, {checkpoint.Tokenizer.VocabularySize:N0} word pieces, on {device.type.ToString().ToLowerInvariant()}");
        PretrainingResult result = new Pretrainer(model, checkpoint.Tokenizer, options, device).Train(texts, progress, cancellationToken);
        model.SaveTo(folder);
        checkpoint.Tokenizer.Save(folder);
        return result;
    }
}
