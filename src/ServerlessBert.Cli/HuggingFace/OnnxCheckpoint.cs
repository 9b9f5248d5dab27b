using ServerlessBert.Modeling;
using ServerlessBert.Modeling.Bert;
using ServerlessBert.Modeling.Inference;
using ServerlessBert.Modeling.Onnx;
using ServerlessBert.Modeling.Tokenization;

namespace ServerlessBert.Cli.HuggingFace;

/// <summary>A checkpoint folder made of an ONNX model and the files that belong to it.</summary>
/// <param name="Folder">The folder.</param>
/// <param name="Config">What its config.json says.</param>
/// <param name="IsClassifier">Whether it classifies as it is; else it is a base to fine-tune.</param>
/// <param name="Notes">One-line remarks: what was left out or taken from elsewhere.</param>
internal sealed record OnnxCheckpoint(string Folder, BertConfig Config, bool IsClassifier, IReadOnlyList<string> Notes)
{
    private const string ConfigFile = "config.json", Vocabulary = "vocab.txt", Tokenizer = "tokenizer.json",
        TokenizerConfig = "tokenizer_config.json";
    private static readonly string[] Written =
        ["model.safetensors", ConfigFile, Vocabulary, TokenizerConfig, CalibrationTemperature.FileName];

    /// <summary>Writes a checkpoint; the folder appears whole, or stays as it is.</summary>
    /// <param name="source">The model.</param>
    /// <param name="folder">Where it goes; need not exist.</param>
    /// <param name="overwrite">Whether a checkpoint that is there may be replaced.</param>
    /// <exception cref="ImportException">The files do not belong together, or the folder is taken.</exception>
    /// <exception cref="CheckpointException">The model is not a BERT that can be imported, or a file beside it is not valid.</exception>
    public static OnnxCheckpoint Import(ImportSource source, string folder, bool overwrite)
    {
        if (!overwrite && Written.FirstOrDefault(name => File.Exists(Path.Combine(folder, name))) is { } taken)
            throw new ImportException(
                $"{Path.Combine(folder, taken)} exists; give another folder with --out, or replace what is there with --overwrite.");
        OnnxImport model = OnnxImport.Read(source.ModelPath);
        List<string> notes = [.. model.Notes];
        BertTokenizer tokenizer = TokenizerOf(source, model.Config, notes);
        BertConfig config = ConfigOf(source, model, tokenizer);
        string partial = Path.TrimEndingDirectorySeparator(folder) + ".partial";
        try
        {
            if (Directory.Exists(partial)) Directory.Delete(partial, recursive: true);
            model.Save(partial, config);
            tokenizer.Save(partial);
            if (model.HasClassifier && Find(source, CalibrationTemperature.FileName) is { } calibration)
                File.Copy(calibration, Path.Combine(partial, CalibrationTemperature.FileName));
            Directory.CreateDirectory(folder);
            foreach (string name in Written)
            {
                // Of a checkpoint that is replaced, nothing may stay that the new one does not have.
                string target = Path.Combine(folder, name), written = Path.Combine(partial, name);
                if (File.Exists(written)) File.Move(written, target, overwrite: true);
                else File.Delete(target);
            }
        }
        finally
        {
            if (Directory.Exists(partial)) Directory.Delete(partial, recursive: true);
        }
        return new OnnxCheckpoint(folder, config, model.HasClassifier, notes);
    }

    private static string? Find(ImportSource source, params string[] names) =>
        source.Companions.SelectMany(folder => names.Select(name => Path.Combine(folder, name))).FirstOrDefault(File.Exists);

    private static BertTokenizer TokenizerOf(ImportSource source, BertConfig config, List<string> notes)
    {
        string found = Find(source, Vocabulary, Tokenizer)
            ?? throw new ImportException($"{source.Name} has neither {Vocabulary} nor {Tokenizer} beside its model, so its texts cannot "
                + "be tokenized; put the one that belongs to the model there.");
        string folder = Path.GetDirectoryName(found)!;
        BertTokenizer tokenizer = BertTokenizer.FromFolder(folder);
        if (tokenizer.VocabularySize > config.VocabSize)
            throw new ImportException(
                $"{found} has {tokenizer.VocabularySize:N0} tokens, but the model of {source.Name} has {config.VocabSize:N0}; they do "
                + "not belong together.");
        BertTokenizerOptions options =
            tokenizer.Options with { ModelMaxLength = Math.Min(tokenizer.Options.ModelMaxLength, config.MaxPositionEmbeddings) };
        if (Path.GetFileName(found) == Vocabulary && !File.Exists(Path.Combine(folder, TokenizerConfig)) && IsCased(tokenizer))
        {
            notes.Add($"Letters are not lower-cased: {Vocabulary} has words with capitals, and there is no {TokenizerConfig} beside it.");
            options = options with { LowerCase = false };
        }
        return tokenizer.With(options);
    }

    // [UNK] and [unused7] have capitals in every vocabulary, and bert-base-uncased's has a few from other scripts.
    private static bool IsCased(BertTokenizer tokenizer) =>
        Enumerable.Range(0, tokenizer.VocabularySize).Select(tokenizer.TokenOf)
            .Any(token => !token.StartsWith('[') && token.Any(char.IsAsciiLetterUpper));

    // The graph has the shapes, config.json the labels and what only training needs.
    private static BertConfig ConfigOf(ImportSource source, OnnxImport model, BertTokenizer tokenizer)
    {
        BertConfig graph = model.Config;
        if (Find(source, ConfigFile) is not { } path) return graph with { PadTokenId = tokenizer.PaddingId };
        BertConfig beside = BertConfig.Load(path);
        foreach (var (name, inGraph, inFile) in Shape(graph).Zip(Shape(beside), (one, other) => (one.Name, one.Value, other.Value)))
            if (!Equals(inGraph, inFile))
                throw new ImportException(
                    $"{path} says that {name} is {inFile}, but the graph of {source.Name} has {inGraph}; they do not belong together.");
        bool hasLabels = beside.HasOwnLabels && (!model.HasClassifier || beside.NumLabels == graph.NumLabels);
        return beside with
        {
            HiddenAct = graph.HiddenAct,
            MaxPositionEmbeddings = graph.MaxPositionEmbeddings,
            TypeVocabSize = graph.TypeVocabSize,
            LayerNormEps = graph.LayerNormEps,
            Id2Label = hasLabels ? beside.Id2Label : graph.Id2Label,
        };
    }

    private static IEnumerable<(string Name, object Value)> Shape(BertConfig config) =>
    [
        ("model_type", config.ModelType), ("vocab_size", config.VocabSize), ("hidden_size", config.HiddenSize),
        ("num_hidden_layers", config.NumHiddenLayers), ("num_attention_heads", config.NumAttentionHeads),
            ("intermediate_size", config.IntermediateSize),
    ];
}
