using ServerlessBert.Modeling.Bert;
using ServerlessBert.Modeling.Checkpoints;
using ServerlessBert.Modeling.Inference;
using ServerlessBert.Modeling.Onnx;
using ServerlessBert.Modeling.Tests.Bert;
using ServerlessBert.Modeling.Tests.Checkpoints;
using ServerlessBert.Testing;

namespace ServerlessBert.Modeling.Tests.Onnx;

[Collection(GlobalRandomState.Name)]
public sealed class OnnxExportTests : IDisposable
{
    private readonly TemporaryFolder scratch = new();

    public void Dispose() => scratch.Dispose();

    [Theory]
    [InlineData("bert", "gelu")]
    [InlineData("bert", "gelu_new")]
    [InlineData("bert", "relu")]
    [InlineData("distilbert", "gelu")]
    public void A_classifiers_graph_gives_our_logits_for_any_batch_and_length_and_comes_back_bit_for_bit(string type, string activation)
    {
        string folder = Save(BertForSequenceClassificationTests.Small with
        {
            ModelType = type,
            TypeVocabSize = type == "bert" ? 2
            : 0,
            HiddenAct = activation
        });
        string graph = OnnxExport.Write(folder, scratch.File("onnx"));
        Assert.InRange(OnnxParity.OfLogits(graph, folder, OnnxParity.Rows(50, 20, 30)), 0, 1e-4);
        Assert.InRange(OnnxParity.OfLogits(graph, folder, OnnxParity.Rows(1, 20, 40)), 0, 1e-4);
        OnnxImport imported = OnnxImport.Read(graph);
        imported.Save(scratch.File("again"), imported.Config);
        Assert.Equal(File.ReadAllBytes(Path.Combine(folder, "model.safetensors")),
            File.ReadAllBytes(Path.Combine(scratch.File("again"), "model.safetensors")));
        OnnxExport.Write(folder, scratch.File("twice"));
        Assert.Equal(File.ReadAllBytes(graph), File.ReadAllBytes(Path.Combine(scratch.File("twice"), OnnxExport.FileName)));
    }

    [Fact]
    public void Its_probabilities_are_the_calibrated_ones_that_classifying_gives()
    {
        string folder = SmallModels.Save(scratch.Path);
        File.WriteAllText(Path.Combine(folder, CalibrationTemperature.FileName), """{"temperature":1.7}""");
        using var session = new OnnxRuntimeSession(OnnxExport.Write(folder, scratch.File("onnx")));
        Assert.Equal(["input_ids", "attention_mask", "token_type_ids"], session.Inputs);
        Assert.Equal(["logits", "probabilities"], session.Outputs);
        using var classifier = ReviewClassifier.Load(folder, new InferenceOptions { Dtype = InferenceDtype.Float32 });
        var texts = classifier.Tokenize([.. SmallModels.Reviews(200).Select(review => review.Text)]);
        float[] theirs = session.Run("probabilities", [.. texts.Select(text => text.InputIds)]);
        float[] ours = [.. classifier.Classify(texts).SelectMany(each => each.Probabilities).Select(probability => (float)probability)];
        Assert.Equal(ours.Length, theirs.Length);
        Assert.All(ours.Zip(theirs), pair => Assert.Equal(pair.First, pair.Second, 1e-4));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void An_encoders_graph_gives_hidden_states_and_comes_back_as_an_encoder(bool hasPooler)
    {
        using var variants = new CheckpointVariants();
        variants.Remove(key => key.StartsWith("classifier") || (!hasPooler && key.Contains("pooler")));
        variants.Rename(key => key["bert.".Length..]);
        variants.Weights["embeddings.position_ids"] = TorchSharp.torch.arange(40).unsqueeze(0);
        variants.Write();
        SaveTokenizer(variants.Path);
        string graph = OnnxExport.Write(variants.Path, scratch.File("onnx"));
        using (var session = new OnnxRuntimeSession(graph))
            Assert.Equal(hasPooler ? ["last_hidden_state", "pooler_output"] : (string[])["last_hidden_state"], session.Outputs);
        Assert.InRange(OnnxParity.OfHiddenStates(graph, variants.Path, OnnxParity.Rows(50, 60, 40)), 0, 1e-4);
        OnnxImport imported = OnnxImport.Read(graph);
        Assert.Equal((hasPooler, false), (imported.HasPooler, imported.HasClassifier));
        imported.Save(scratch.File("again"), imported.Config);
        Assert.Equal(File.ReadAllBytes(variants.File("model.safetensors")),
            File.ReadAllBytes(Path.Combine(scratch.File("again"), "model.safetensors")));
        Assert.Equal(["BertModel"], BertConfig.Load(scratch.File("again")).Architectures);
    }

    [Fact]
    public void Weights_beside_the_graph_give_the_same_model()
    {
        string path = scratch.File("model.onnx");
        using (var writer = new OnnxGraphWriter(path, hasWeightsBeside: true))
        {
            writer.Input("x", OnnxDtype.Float32, "rows", "columns");
            string weight = writer.Weight([1, 2, 3, 4, 5, 6], [2, 3], "w");
            writer.Output(writer.Node("MatMul", ["x", weight]), "y", OnnxDtype.Float32, "rows", "3");
            writer.Save();
        }
        OnnxModel model = OnnxModel.Read(path);
        Assert.Equal<float>([1, 2, 3, 4, 5, 6], System.Runtime.InteropServices.MemoryMarshal.Cast<byte,
            float>(model.Initializers["w"].Bytes().Span).ToArray());
    }

    private string Save(BertConfig config)
    {
        using var model = BertForSequenceClassificationTests.Seeded(config);
        string folder = scratch.File("checkpoint");
        model.SaveTo(folder);
        SaveTokenizer(folder);
        return folder;
    }

    private static void SaveTokenizer(string folder)
    {
        using Checkpoint small = SmallModels.Create();
        small.Tokenizer.Save(folder);
    }
}
