using ServerlessBert.Modeling.Bert;
using ServerlessBert.Modeling.Checkpoints;
using ServerlessBert.Modeling.Onnx;
using ServerlessBert.Modeling.Tests.Bert;
using ServerlessBert.Modeling.Tests.Checkpoints;
using ServerlessBert.Testing;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling.Tests.Onnx;

[Collection(GlobalRandomState.Name)]
public sealed class OnnxImportTests : IDisposable
{
    private static readonly BertConfig Distilled =
        BertForSequenceClassificationTests.Small with { ModelType = "distilbert", TypeVocabSize = 0 };

    private readonly TemporaryFolder scratch = new();

    private string Graph => scratch.File("graph.onnx");

    public void Dispose() => scratch.Dispose();

    public static TheoryData<string> Styles => [.. Known.Keys];

    private static Dictionary<string, (BertConfig Config, ExportStyle Style)> Known => new()
    {
        ["traced"] = (BertForSequenceClassificationTests.Small, ExportStyle.Traced),
        ["dynamo"] = (BertForSequenceClassificationTests.Small, ExportStyle.Dynamo),
        ["DistilBERT, traced"] = (Distilled, ExportStyle.Traced),
        ["DistilBERT, dynamo"] = (Distilled, ExportStyle.Dynamo),
        ["gelu_new in parts"] = (BertForSequenceClassificationTests.Small with { HiddenAct = "gelu_new" }, ExportStyle.Traced),
        ["gelu_new as an operator"] = (BertForSequenceClassificationTests.Small with { HiddenAct = "gelu_new" }, ExportStyle.Dynamo),
        ["relu"] = (BertForSequenceClassificationTests.Small with { HiddenAct = "relu" }, ExportStyle.Traced),
        ["another epsilon and two heads"] =
            (BertForSequenceClassificationTests.Small with { LayerNormEps = 1e-5, NumAttentionHeads = 2 }, ExportStyle.Traced),
        ["LayerNorm in parts of opset 18"] =
            (BertForSequenceClassificationTests.Small, ExportStyle.Traced with { TakesAxesAsInput = true }),
        ["transposes left in the graph"] = (BertForSequenceClassificationTests.Small, ExportStyle.Traced with { FoldsTransposes = false }),
        ["float_data"] = (BertForSequenceClassificationTests.Small, ExportStyle.Traced with { Values = ValuesIn.TypedData }),
        ["Constant nodes"] = (BertForSequenceClassificationTests.Small, ExportStyle.Dynamo with { Values = ValuesIn.ConstantNodes }),
        ["a file beside it"] = (BertForSequenceClassificationTests.Small, ExportStyle.Dynamo with { Values = ValuesIn.FileBeside }),
        ["no token types given"] = (BertForSequenceClassificationTests.Small, ExportStyle.Traced with { HasTokenTypesInput = false }),
        ["seven labels"] = (BertForSequenceClassificationTests.Small with { Id2Label = BertConfig.NumberedLabels(7) }, ExportStyle.Dynamo),
    };

    [Theory]
    [MemberData(nameof(Styles))]
    public void An_imported_graph_gives_ONNX_Runtimes_logits_and_the_very_weights(string style)
    {
        var (config, export) = Known[style];
        using var model = BertForSequenceClassificationTests.Seeded(config);
        ExportedGraph.Write(model, export, Graph);
        OnnxImport imported = Import();
        Assert.Empty(imported.Notes);
        Assert.True(imported is { HasPooler: true, HasClassifier: true });
        Assert.Equal(Shape(config), Shape(imported.Config));
        RequireSameWeights(model, float32);
        int[][] rows = OnnxParity.Rows(50, config.VocabSize, 30);
        Assert.InRange(OnnxParity.OfLogits(Graph, scratch.Path, rows), 0, 1e-4);
        Assert.InRange(OnnxParity.OfHiddenStates(Graph, scratch.Path, rows), 0, 1e-4);
    }

    [Theory]
    [InlineData(OnnxDtype.Float16, ValuesIn.RawData)]
    [InlineData(OnnxDtype.Float16, ValuesIn.TypedData)]
    [InlineData(OnnxDtype.BFloat16, ValuesIn.RawData)]
    [InlineData(OnnxDtype.BFloat16, ValuesIn.TypedData)]
    internal void Half_precision_keeps_its_bits(OnnxDtype dtype, ValuesIn values)
    {
        using var model = BertForSequenceClassificationTests.Seeded(BertForSequenceClassificationTests.Small);
        ExportedGraph.Write(model, ExportStyle.Traced with { Dtype = dtype, Values = values }, Graph);
        Assert.Equal("gelu", Import().Config.HiddenAct);
        RequireSameWeights(model, dtype.ToTorch());
        Assert.Equal(dtype.ToTorch().ToString().ToLowerInvariant(), BertConfig.Load(scratch.Path).TorchDtype);
        if (dtype == OnnxDtype.Float16) Assert.InRange(OnnxParity.OfHiddenStates(Graph, scratch.Path, OnnxParity.Rows(16, 60, 30)), 0, 0.1);
    }

    [Theory]
    [InlineData("QuantizeLinear", "it is quantized (QuantizeLinear)")]
    [InlineData("MatMulInteger", "it is quantized (MatMulInteger)")]
    [InlineData("QLinearMatMul", "it is quantized (QLinearMatMul)")]
    [InlineData("DequantizeLinear", "take the float32 file")]
    [InlineData("Conv", "it works on images or sound (Conv)")]
    [InlineData("Cos", "it rotates its queries by their positions")]
    [InlineData("LSTM", "it is a recurrent network")]
    [InlineData("If", "it has control flow (If)")]
    public void Operators_that_BERT_does_not_have_are_refused_by_what_they_mean(string type, string expected)
    {
        int seen = 0;
        Assert.Contains(expected, Refusal(ExportStyle.Traced, each => each == "Tanh" && seen++ == 0 ? type : each),
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Softmax", "Sigmoid", "its attention has no Softmax over the keys")]
    [InlineData("Erf", "Sigmoid", "its activation is not one of gelu, gelu_new and relu")]
    [InlineData("Slice", "CumSum", "its positions are computed by CumSum, as RoBERTa's")]
    public void A_graph_that_computes_something_else_is_refused(string type, string other, string expected) =>
        Assert.Contains(expected, Refusal(ExportStyle.Traced, each => each == type ? other : each), StringComparison.Ordinal);

    [Fact]
    public void A_mask_that_hides_what_is_to_come_is_a_decoders()
    {
        int seen = 0;
        // The Sub of the mask comes after the one of the first LayerNorm.
        Assert.Contains("looks only backwards", Refusal(ExportStyle.Traced, each => each == "Sub" && seen++ == 1 ? "Less" : each),
            StringComparison.Ordinal);
    }

    [Fact]
    public void Weights_in_a_file_that_is_missing_or_cut_are_refused_by_its_name()
    {
        using var model = BertForSequenceClassificationTests.Seeded(BertForSequenceClassificationTests.Small);
        ExportedGraph.Write(model, ExportStyle.Dynamo with { Values = ValuesIn.FileBeside }, Graph);
        File.WriteAllBytes(Graph + ".data", File.ReadAllBytes(Graph + ".data")[..^8]);
        Assert.Contains("but graph.onnx.data (", Assert.Throws<OnnxException>(Import).Message, StringComparison.Ordinal);
        File.Delete(Graph + ".data");
        Assert.Contains("its weights are in graph.onnx.data, which is not beside it", Assert.Throws<OnnxException>(Import)
            .Message, StringComparison.Ordinal);
        Assert.False(File.Exists(scratch.File("model.safetensors")));
    }

    [Theory]
    [InlineData("../weights.bin")]
    [InlineData("/etc/hostname")]
    [InlineData("C:\\weights.bin")]
    [InlineData("a/../../weights.bin")]
    [InlineData("")]
    public void Weights_outside_of_the_folder_are_not_read(string location)
    {
        var external = new OnnxExternalData(scratch.Path);
        string message = Assert.Throws<InvalidDataException>(() => external.Read("w", new Dictionary<string,
            string>
        { ["location"] = location }, 4)).Message;
        Assert.Contains("not a path inside of its folder", message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_is_not_there_is_named() =>
        Assert.Equal($"File not found: {Graph}.", Assert.Throws<OnnxException>(Import).Message);

    private OnnxImport Import()
    {
        OnnxImport imported = OnnxImport.Read(Graph);
        imported.Save(scratch.Path, imported.Config);
        return imported;
    }

    private string Refusal(ExportStyle style, Func<string, string> rename)
    {
        using var model = BertForSequenceClassificationTests.Seeded(BertForSequenceClassificationTests.Small);
        ExportedGraph.Write(model, style, Graph, rename);
        string message = Assert.Throws<OnnxException>(() => OnnxImport.Read(Graph)).Message;
        Assert.StartsWith($"{Graph} cannot be imported, since only plain BERT and DistilBERT graphs can: ", message,
            StringComparison.Ordinal);
        return message;
    }

    private static object Shape(BertConfig config) =>
        (config.ModelType, config.VocabSize, config.HiddenSize, config.NumHiddenLayers, config.NumAttentionHeads,
        config.IntermediateSize, config.HiddenAct, config.MaxPositionEmbeddings, config.TypeVocabSize, config.LayerNormEps,
            config.NumLabels);

    private void RequireSameWeights(BertForSequenceClassification model, ScalarType dtype)
    {
        using var weights = CheckpointWeights.Load(scratch.Path);
        foreach (var (name, parameter) in model.named_parameters())
        {
            Assert.Equal(dtype, weights.Tensors[name].dtype);
            using Tensor expected = parameter.to(dtype);
            Assert.True(weights.Tensors[name].bytes.SequenceEqual(expected.bytes), name);
        }
    }
}
