using System.CommandLine;
using ServerlessBert.Cli.Input;
using ServerlessBert.Modeling.Inference;

namespace ServerlessBert.Cli.Options;

/// <summary>The options of every verb that runs a model from a folder.</summary>
internal sealed class ModelOptions
{
    private readonly Option<DirectoryInfo> model = new("--model", "-m") { Description = "The checkpoint folder (config.json, model.safetensors, vocab.txt).", Required = true };
    private readonly Option<InferenceDtype> dtype = new("--dtype") { Description = "The number type; auto measures which this processor does faster.", DefaultValueFactory = _ => InferenceDtype.Auto };
    private readonly Option<int?> threads = new("--threads") { Description = "Threads of a pass (default: every core)." };
    private readonly Option<int?> maxLength = new("--max-length") { Description = "Longest review in tokens (default: the model's maximum)." };

    public void AddTo(Command command)
    {
        threads.Validators.Add(result => { if (result.GetValueOrDefault<int?>() < 1) result.AddError("--threads must be at least 1."); });
        maxLength.Validators.Add(result => { if (result.GetValueOrDefault<int?>() < 3) result.AddError("--max-length must be at least 3: [CLS], a token and [SEP]."); });
        command.Add(model);
        command.Add(dtype);
        command.Add(threads);
        command.Add(maxLength);
    }

    /// <summary>The folder as the user named it.</summary>
    public string Folder(ParseResult parsed) => parsed.GetRequiredValue(model).FullName;

    /// <summary>The version that predictions name: the folder's own name.</summary>
    public string Name(ParseResult parsed) => parsed.GetRequiredValue(model).Name;

    /// <summary>Loads the model, or throws with the reason.</summary>
    public ReviewClassifier Load(ParseResult parsed)
    {
        if (!Directory.Exists(Folder(parsed))) throw new UsageException($"there is no folder {Folder(parsed)}; --model names a checkpoint folder, as sbert train or sbert models pull makes one.");
        NeedsLibTorch.Check();
        return ReviewClassifier.Load(Folder(parsed), new InferenceOptions
        {
            Dtype = parsed.GetValue(dtype),
            Threads = parsed.GetValue(threads),
            MaxLength = parsed.GetValue(maxLength),
        });
    }
}
