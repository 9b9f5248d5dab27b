using System.Security.Cryptography;
using System.Text;
using ServerlessBert.Modeling.Bert;
using ServerlessBert.Modeling.Checkpoints;
using ServerlessBert.Modeling.Options;
using ServerlessBert.Modeling.Pretraining;
using ServerlessBert.Modeling.Training;
using TorchSharp;

namespace ServerlessBert.Modeling.Recipes;

/// <summary>
/// A pretraining from its start to a checkpoint folder, which a fine-tuning can start from: what <c>sbert pretrain</c> does.
/// </summary>
/// <param name="start">What it starts from.</param>
/// <param name="options">Every setting.</param>
/// <param name="device">Where it computes.</param>
public sealed class PretrainingRecipe(TrainingStart start, PretrainingOptions options, torch.Device device)
{
    /// <summary>Pretrains and saves.</summary>
    /// <param name="texts">The corpus.</param>
    /// <param name="folder">Where the checkpoint goes; made where missing.</param>
    /// <param name="progress">Told after every step.</param>
    /// <param name="remark">Told what a reader of the log should know.</param>
    /// <param name="cancellationToken">Stops after the present step; what was learned is saved.</param>
    /// <exception cref="TrainingException">There is not enough text, an option is out of range, or the loss is no number.</exception>
    public PretrainingResult Run(
        IReadOnlyList<string> texts, string folder, IProgress<TrainingProgress> progress, Action<string> remark,
        CancellationToken cancellationToken)
    {
        if (texts.Count == 0) throw new TrainingException("There is no text to pretrain on.");
        using Checkpoint checkpoint = start.Open(texts, options.Seed, cancellationToken);
        using BertForMaskedLM model = BertForMaskedLM.Over(checkpoint.Model);
        if (start is TrainingStart.FromFolder(string path) && !MaskedLMHead.TryLoad(model, path))
            remark("The head of the masked language model is not in the checkpoint and starts fresh.");
        remark($"pretraining on {texts.Count:N0} texts: {checkpoint.Config.NumHiddenLayers} layers of "
            + $"{checkpoint.Config.HiddenSize}, {checkpoint.Tokenizer.VocabularySize:N0} word pieces, on "
                + $"{device.type.ToString().ToLowerInvariant()}");
        PretrainingResult result = new Pretrainer(model, checkpoint.Tokenizer, options, device).Train(texts, progress, cancellationToken);
        model.SaveTo(folder);
        checkpoint.Tokenizer.Save(folder);
        return result;
    }
}

/// <summary>
/// Pretraining on the texts that a training then learns the ratings of (Sun et al. 2019, arXiv:1905.05583), as its first
/// part. Its result stands beside the training's checkpoints until the training has come to its end, so that one which is
/// cut goes on without pretraining again; a pretraining that is itself cut begins anew.
/// </summary>
/// <param name="start">What the pretraining starts from.</param>
/// <param name="options">Its settings.</param>
/// <param name="device">Where it computes.</param>
/// <param name="parent">The folder under which its result goes.</param>
internal sealed class PretrainedStart(TrainingStart start, PretrainingOptions options, torch.Device device, string parent)
{
    private const string Prefix = "pretrained-";

    /// <summary>The pretrained model, as what a fine-tuning starts from.</summary>
    /// <param name="texts">The texts to learn from.</param>
    /// <param name="progress">Told after every step.</param>
    /// <param name="remark">Told what a reader of the log should know.</param>
    /// <param name="cancellationToken">Stops after the present step; nothing is kept.</param>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public TrainingStart Of(
        IReadOnlyList<string> texts, IProgress<TrainingProgress> progress, Action<string> remark, CancellationToken cancellationToken)
    {
        string folder = Path.Combine(parent, Prefix + DigestOf(texts)), partial = folder + ".partial";
        if (Directory.Exists(folder))
        {
            remark($"going on from the pretrained model in {folder}");
            return new TrainingStart.FromFolder(folder);
        }
        if (Directory.Exists(partial)) Directory.Delete(partial, recursive: true);
        PretrainingResult result = new PretrainingRecipe(start, options, device).Run(texts, partial, progress, remark, cancellationToken);
        if (result.IsCancelled)
        {
            Directory.Delete(partial, recursive: true);
            throw new OperationCanceledException("The pretraining was stopped.", cancellationToken);
        }
        Directory.Move(partial, folder);
        remark($"pretrained after {result.Steps:N0} steps in {result.Seconds:N0} s ({result.TokensPerSecond:N0} tokens/s), loss "
            + $"{result.FinalLoss:0.000}");
        return new TrainingStart.FromFolder(folder);
    }

    /// <summary>Deletes pretrained models, once the trained one is saved.</summary>
    public void Delete()
    {
        foreach (string folder in Directory.EnumerateDirectories(parent, Prefix + "*")) Directory.Delete(folder, recursive: true);
    }

    // Of another start, other settings or other texts there may be another one.
    private string DigestOf(IReadOnlyList<string> texts)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes($"{start}\n"));
        hash.AppendData(OptionDigest.BytesOf(options));
        foreach (string text in texts) hash.AppendData(Encoding.UTF8.GetBytes($"{text.Length}\n{text}"));
        return Convert.ToHexStringLower(hash.GetHashAndReset())[..8];
    }
}
