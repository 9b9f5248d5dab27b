using System.CommandLine;
using ServerlessBert.Cli.Help;
using ServerlessBert.Cli.Input;
using ServerlessBert.Modeling.Inference;
using ServerlessBert.Modeling.Options;
using ServerlessBert.Modeling.Training;

namespace ServerlessBert.Cli.Options;

/// <summary>The options of every verb that runs a model from a folder.</summary>
internal sealed class ModelOptions
{
    private const int MaxThreads = 1024;

    private readonly Option<DirectoryInfo> model = new("--model", "-m")
    {
        Description = "The checkpoint folder (config.json, model.safetensors, vocab.txt).",
        Required = true,
    };

    private readonly Option<InferenceDtype?> dtype =
        TypedOption.Word<InferenceDtype>("The dtype of products; auto measures which this processor computes faster (auto).", "--dtype");

    private readonly Option<int?> threads = TypedOption.Whole("Threads of a forward pass (every core).", 1, MaxThreads, "--threads");

    private readonly Option<int?> maxLength = TypedOption.Create<int?>(
        OptionSet<TrainingOptions>.Of(nameof(TrainingOptions.MaxLength)).Type,
            "Longest review in tokens (the model's maximum).", "--max-length");

    public void AddTo(Command command)
    {
        foreach (Option option in new Option[] { model, dtype, threads, maxLength }) command.Add(option.Under(OptionGroup.Model));
    }

    /// <summary>The folder as the user named it.</summary>
    public string Folder(ParseResult parsed) => parsed.GetRequiredValue(model).FullName;

    /// <summary>The version that predictions name: the folder's own name.</summary>
    public string Name(ParseResult parsed) => parsed.GetRequiredValue(model).Name;

    /// <summary>Looks whether the folder is one, before anything else is read.</summary>
    /// <exception cref="UsageException">It is not.</exception>
    public void RequireFolder(ParseResult parsed) =>
        InputFile.RequireFolder(
            parsed.GetRequiredValue(model), "--model names a checkpoint folder, as sbert train or sbert models pull makes one");

    /// <summary>Loads the model, or throws with the reason.</summary>
    public ReviewClassifier Load(ParseResult parsed)
    {
        RequireFolder(parsed);
        NeedsLibTorch.Check();
        return ReviewClassifier.Load(Folder(parsed), new InferenceOptions
        {
            Dtype = parsed.GetValue(dtype) ?? InferenceDtype.Auto,
            Threads = parsed.GetValue(threads),
            MaxLength = parsed.GetValue(maxLength),
        });
    }
}
