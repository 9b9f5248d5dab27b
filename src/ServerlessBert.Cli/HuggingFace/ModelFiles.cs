using System.Text.Json;
using System.Text.RegularExpressions;
using ServerlessBert.Cli.Input;
using ServerlessBert.Modeling;
using ServerlessBert.Modeling.Bert;

namespace ServerlessBert.Cli.HuggingFace;

/// <summary>Which files of a model make a checkpoint folder, and whether it is a model that can be used here.</summary>
/// <param name="Texts">config.json, what there is of the tokenizer, and the index of shards where there are shards.</param>
/// <param name="Weights">model.safetensors, or the shards.</param>
internal sealed record ModelFiles(IReadOnlyList<string> Texts, IReadOnlyList<string> Weights)
{
    private const string Config = "config.json", Vocabulary = "vocab.txt", Tokenizer = "tokenizer.json";
    private const string Whole = "model.safetensors", Index = "model.safetensors.index.json", Pickle = "pytorch_model.bin";
    private static readonly string[] Optional =
        ["tokenizer_config.json", Vocabulary, Tokenizer, "special_tokens_map.json", "added_tokens.json"];

    /// <summary>Every name that a loader looks for.</summary>
    public static IReadOnlyList<string> Known { get; } = [Config, .. Optional, Whole, Index];

    /// <summary>Chooses the files; reads config.json and the index of shards, and writes nothing.</summary>
    /// <exception cref="HubException">The model is of another family, has no safetensors or no vocabulary, or its index is
    /// unsound.</exception>
    public static async Task<ModelFiles> ChooseAsync(HubClient hub, HubRevision revision, CancellationToken cancellationToken)
    {
        if (!revision.Files.Contains(Config))
            throw new HubException($"{revision.Model} has no {Config} in revision {revision.Revision}; is it a model for Transformers?");
        RefuseOtherFamilies(revision, await hub.ReadAsync(revision, Config, cancellationToken));
        if (!revision.Files.Contains(Vocabulary) && !revision.Files.Contains(Tokenizer))
            throw new HubException(
                $"{revision.Model} has neither {Vocabulary} nor {Tokenizer}, so its texts cannot be tokenized; look for the model "
                    + $"that it was made from.");
        string[] texts = [Config, .. Optional.Where(revision.Files.Contains)];
        if (revision.Files.Contains(Whole)) return new ModelFiles(texts, [Whole]);
        if (!revision.Files.Contains(Index)) throw NoSafetensors(revision);
        return new ModelFiles([.. texts, Index], Shards(revision, await hub.ReadAsync(revision, Index, cancellationToken)));
    }

    private static void RefuseOtherFamilies(HubRevision revision, byte[] config)
    {
        DirectoryInfo scratch = Directory.CreateTempSubdirectory("sbert-");
        string path = Path.Combine(scratch.FullName, Config);
        try
        {
            File.WriteAllBytes(path, config);
            BertConfig.Load(path);
        }
        catch (CheckpointException exception)
        {
            throw new HubException(
                $"{revision.Model} cannot be used here; its {exception.Message.Replace(path, Config, StringComparison.Ordinal)}",
                exception);
        }
        finally
        {
            scratch.Delete(recursive: true);
        }
    }

    private static List<string> Shards(HubRevision revision, byte[] index)
    {
        try
        {
            using JsonDocument json = JsonDocument.Parse(index);
            var shards = json.RootElement.GetProperty("weight_map").EnumerateObject()
                .Select(key => key.Value.GetString() ?? "").Distinct().Order(StringComparer.Ordinal).ToList();
            foreach (string shard in shards)
            {
                if (!IsShard(shard))
                    throw new HubException(
                    $"{revision.Model}: {Index} names the shard '{shard}', which is not a plain name of a .safetensors file; "
                        + $"nothing was fetched.");
                if (!revision.Files.Contains(shard))
                    throw new HubException(
                    $"{revision.Model}: {Index} names the shard {shard}, which the model does not have; try another --revision.");
            }
            return shards.Count > 0 ? shards
                : throw new HubException($"{revision.Model}: {Index} names no shards; try another --revision.");
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new HubException(
                $"{revision.Model}: {Index} is not an index of shards (an object 'weight_map' from key to file name): "
                    + $"{exception.Message}", exception);
        }
    }

    // A name with a separator, a drive or ".." could point outside of the folder; one of another kind, over another file.
    private static bool IsShard(string name) =>
        name.EndsWith(".safetensors", StringComparison.Ordinal)
            && name.All(character => char.IsAsciiLetterOrDigit(character) || character is '.' or '-' or '_') && name[0] != '.';

    private static HubException NoSafetensors(HubRevision revision)
    {
        if (!revision.Files.Any(file => file is Pickle or Pickle + ".index.json"))
            return new HubException(
                $"{revision.Model} has no {Whole} and no {Index} in revision {revision.Revision}; only safetensors can be read.");
        (string name, string folder) = ($"'{revision.Model}', revision='{revision.Commit}'", revision.Model.Name);
        return new HubException(
            $"{revision.Model} has only {Pickle}, a pickle, which can run code when it is loaded and is not read here. Convert it with: "
            + $"python -c \"from transformers import AutoModelForSequenceClassification as M, AutoTokenizer as T; "
            + $"M.from_pretrained({name}).save_pretrained('{folder}', safe_serialization=True); "
                + $"T.from_pretrained({name}).save_pretrained('{folder}')\"");
    }
}

/// <summary>A model's name on the hub: <c>owner/name</c>, or <c>name</c> for the oldest ones.</summary>
/// <param name="Owner">The user or organisation, or none.</param>
/// <param name="Name">The last part; never a path.</param>
internal sealed partial record ModelName(string? Owner, string Name)
{
    /// <summary>Reads a name by the hub's own rules: letters, digits, <c>-</c>, <c>_</c> and <c>.</c>, at most 96 of them.</summary>
    /// <exception cref="UsageException">It is no such name.</exception>
    public static ModelName Parse(string text)
    {
        Match match = Form().Match(text);
        return match.Success && !text.Contains("--", StringComparison.Ordinal) && !text.Contains("..", StringComparison.Ordinal)
            ? new ModelName(match.Groups["owner"] is { Success: true, Value: var owner } ? owner : null, match.Groups["name"].Value)
            : throw new UsageException(
                $"'{text}' is not a model's name; give owner/name or name, as the hub's page shows it (google-bert/bert-base-cased).");
    }

    /// <summary>As the hub writes it.</summary>
    public override string ToString() => Owner is null ? Name : $"{Owner}/{Name}";

    // Each part begins and ends with a letter, a digit or an underscore.
    [GeneratedRegex(
        @"\A((?<owner>[A-Za-z0-9_]([A-Za-z0-9_.-]{0,94}[A-Za-z0-9_])?)/)?(?<name>[A-Za-z0-9_]([A-Za-z0-9_.-]{0,94}[A-Za-z0-9_])?)\z",
        RegexOptions.ExplicitCapture)]
    private static partial Regex Form();
}
