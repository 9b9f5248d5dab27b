using ServerlessBert.Modeling.Bert;
using ServerlessBert.Modeling.Checkpoints;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling.Onnx;

/// <summary>
/// A BERT or DistilBERT that is read from an ONNX graph: an encoder, or a sequence classifier. Names are not needed: the
/// graph is followed from the embeddings on, layer by layer, and everything that differs from BERT is refused.
/// </summary>
public sealed class OnnxImport
{
    private const string DistilBertName = "distilbert";

    private readonly OnnxModel model;
    private readonly IReadOnlyDictionary<string, Weight> weights;

    private OnnxImport(OnnxModel model, BertConfig config, IReadOnlyDictionary<string, Weight> weights, IReadOnlyList<string> notes) =>
        (this.model, Config, this.weights, Notes) = (model, config, weights, notes);

    // A tensor of the file, and what it takes to be the checkpoint's.
    private readonly record struct Weight(OnnxTensor Tensor, long[] Shape, bool IsTransposed = false);

    /// <summary>The model's shape, as the graph says; labels and dropout are the defaults.</summary>
    public BertConfig Config { get; }

    /// <summary>Whether the graph has a trained pooler.</summary>
    public bool HasPooler => weights.ContainsKey("bert.pooler.dense.weight");

    /// <summary>Whether the graph has a trained classifier.</summary>
    public bool HasClassifier => weights.ContainsKey("classifier.weight");

    /// <summary>One-line remarks: what of the graph is left out.</summary>
    public IReadOnlyList<string> Notes { get; }

    /// <summary>Reads a graph; weights that stand in files beside it are read by <see cref="Save"/>.</summary>
    /// <param name="path">The .onnx file.</param>
    /// <exception cref="OnnxException">The file is not valid, or not a BERT that can be read; the message says why and what to
    /// do.</exception>
    public static OnnxImport Read(string path)
    {
        OnnxModel model = OnnxModel.Read(path);
        try
        {
            OnnxRefusals.Check(model);
            return Follow(new OnnxGraph(model));
        }
        catch (InvalidDataException exception)
        {
            throw OnnxModel.NotValid(path, exception);
        }
        catch (NotSupportedException exception)
        {
            throw new OnnxException(
                $"{path} cannot be imported, since only plain BERT and DistilBERT graphs can: {exception.Message}.", exception);
        }
    }

    /// <summary>Writes model.safetensors and config.json under Hugging Face's names, creating the folder; weights keep their
    /// dtype.</summary>
    /// <param name="folder">The checkpoint folder.</param>
    /// <param name="config">What config.json is to say: <see cref="Config"/>, with other labels for instance.</param>
    /// <exception cref="OnnxException">Weights that stand in files beside the graph are missing or cut.</exception>
    public void Save(string folder, BertConfig config)
    {
        Directory.CreateDirectory(folder);
        var tensors = new List<KeyValuePair<string, Tensor>>();
        try
        {
            foreach (var (key, weight) in weights) tensors.Add(KeyValuePair.Create(NameOf(key), ToTorch(weight)));
            // Older versions of Hugging Face's library saved the positions' indices with the weights; so the file is the very one that was
            // exported.
            foreach (var (name, buffer) in model.Initializers.Where(each => WeightNames.IsBuffer(each.Key)))
                tensors.Add(KeyValuePair.Create(name, buffer.ToTorch()));
            SafetensorsWriter.Write(Path.Combine(folder, "model.safetensors"), tensors);
            string dtype = tensors.First(each => each.Value.dim() == 2).Value.dtype.ToString().ToLowerInvariant();
            (config with { TorchDtype = dtype }).Save(folder, HasClassifier ? "ForSequenceClassification" : "Model");
        }
        catch (InvalidDataException exception)
        {
            throw OnnxModel.NotValid(model.Path, exception);
        }
        finally
        {
            foreach (var (_, tensor) in tensors) tensor.Dispose();
        }
    }

    // As save_pretrained names them: the encoder alone has no prefix.
    private string NameOf(string key)
    {
        string name = Config.IsDistilled ? WeightNames.ToDistilBert(key) : key;
        string prefix = Config.IsDistilled ? "distilbert." : "bert.";
        return !HasClassifier && name.StartsWith(prefix, StringComparison.Ordinal) ? name[prefix.Length..] : name;
    }

    private static Tensor ToTorch(Weight weight)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        Tensor tensor = weight.Tensor.ToTorch();
        return (weight.IsTransposed ? tensor.t() : tensor.view(weight.Shape)).contiguous().MoveToOuterDisposeScope();
    }

    private static OnnxImport Follow(OnnxGraph graph)
    {
        List<OnnxLayerNorm> norms = [.. graph.Model.Nodes.Select(node => OnnxLayerNorm.Find(graph, node)).OfType<OnnxLayerNorm>()];
        OnnxEmbeddings embeddings = OnnxEmbeddings.Find(graph, norms);
        var layers = new List<OnnxLayer>();
        string hiddenStates = embeddings.Norm.Output;
        while (layers.Count <= norms.Count && OnnxLayer.Find(graph, norms, hiddenStates, embeddings.Hidden) is { } layer)
        {
            layers.Add(layer);
            hiddenStates = layer.Norm.Output;
        }
        if (layers.Count == 0)
            throw new NotSupportedException("no layer of attention with a residual and a LayerNorm follows its embeddings");

        OnnxHead head = OnnxHead.Find(graph, hiddenStates, embeddings.Hidden);
        List<string> notes = NotesOn(graph, hiddenStates, head);
        if (head.Classifier is { Outputs: < 2 }) head = head with { Classifier = null };
        BertConfig config = ConfigOf(graph, embeddings, layers, head);
        var weights = new Dictionary<string, Weight>();
        AddEmbeddings(weights, embeddings, config);
        for (int index = 0; index < layers.Count; index++) AddLayer(weights, $"bert.encoder.layer.{index}", layers[index], config);
        AddLinear(weights, "bert.pooler.dense", head.Pooler);
        AddLinear(weights, "classifier", head.Classifier);
        if (config.ValidationErrors().FirstOrDefault() is { } fault) throw new NotSupportedException(fault.TrimEnd('.'));
        return new OnnxImport(graph.Model, config, weights, notes);
    }

    private static List<string> NotesOn(OnnxGraph graph, string hiddenStates, OnnxHead head)
    {
        if (head.Classifier is { Outputs: 1 })
            return ["The classifier gives one number (a regression) and is left out; the encoder is taken."];
        string[] others = [.. graph.Model.Outputs.Where(output => graph.Canonical(output) != hiddenStates)];
        return head.Classifier is not null || head.Pooler is not null || others.Length == 0
            ? []
            : [$"What the graph computes after the encoder ({string.Join(", ", others.Take(4))}) is not a sequence classifier's and is "
                + "left out."];
    }

    private static BertConfig ConfigOf(OnnxGraph graph, OnnxEmbeddings embeddings, List<OnnxLayer> layers, OnnxHead head)
    {
        OnnxLayer first = layers[0];
        double[] epsilons = [embeddings.Norm.Epsilon,
            .. layers.SelectMany(layer => (double[])[layer.Attention.Norm.Epsilon, layer.Norm.Epsilon])];
        if (epsilons.Distinct().Count() is > 1 and var different)
            throw new NotSupportedException($"its LayerNorms have {different} different epsilons, where BERT has one");
        if (layers.Any(layer => layer.HiddenAct != first.HiddenAct || layer.Attention.Heads != first.Attention.Heads
            || layer.Intermediate.Outputs != first.Intermediate.Outputs))
            throw new NotSupportedException("its layers differ in heads, width or activation, where BERT's are alike");
        // DistilBERT is a BERT without token types, of a fixed epsilon; its pooler ends in ReLU, and without one names tell.
        bool isDistilled = embeddings.TokenTypes is null && epsilons[0] == 1e-12 && head.PoolerActivation switch
        {
            "relu" => true,
            "tanh" => false,
            _ => !graph.Model.Initializers.Keys.Any(name => name.Contains("attention.self.", StringComparison.Ordinal)),
        };
        if (!isDistilled && head.PoolerActivation is "relu")
            throw new NotSupportedException("its pooler ends in ReLU, where BERT's ends in tanh");
        var config = new BertConfig
        {
            ModelType = isDistilled ? DistilBertName : "bert",
            VocabSize = (int)embeddings.Words.Shape[0],
            HiddenSize = embeddings.Hidden,
            NumHiddenLayers = layers.Count,
            NumAttentionHeads = first.Attention.Heads,
            IntermediateSize = first.Intermediate.Outputs,
            HiddenAct = first.HiddenAct,
            MaxPositionEmbeddings = (int)(embeddings.Positions.Count / embeddings.Hidden),
            TypeVocabSize = isDistilled ? 0 : embeddings.TokenTypes is { } types ? (int)(types.Count / embeddings.Hidden) : 1,
            LayerNormEps = epsilons[0],
        };
        return head.Classifier is { } classifier && classifier.Outputs != config.NumLabels
            ? config with { Id2Label = BertConfig.NumberedLabels(classifier.Outputs) }
            : config;
    }

    private static void AddEmbeddings(Dictionary<string, Weight> weights, OnnxEmbeddings embeddings, BertConfig config)
    {
        const string prefix = "bert.embeddings";
        Add("word_embeddings.weight", embeddings.Words, config.VocabSize);
        Add("position_embeddings.weight", embeddings.Positions, config.MaxPositionEmbeddings);
        // A BERT without token types has the one type 0, whose row adds nothing.
        if (config.TypeVocabSize > 0)
            Add("token_type_embeddings.weight", embeddings.TokenTypes ?? Zeros(config.HiddenSize), config.TypeVocabSize);
        AddNorm(weights, $"{prefix}.LayerNorm", embeddings.Norm, config);

        void Add(string key, OnnxTensor tensor, int rows)
        {
            if (tensor.Count != (long)rows * config.HiddenSize)
                throw new NotSupportedException(
                    $"its {key} has the shape [{string.Join(", $", tensor.Shape)}], which is not a whole number of rows of "
                    + $"{config.HiddenSize}");
            weights.Add($"{prefix}.{key}", new Weight(tensor, [rows, config.HiddenSize]));
        }
    }

    private static OnnxTensor Zeros(int hidden) => OnnxTensor.Create(OnnxDtype.Float32, [1, hidden], new byte[sizeof(float) * hidden]);

    private static void AddLayer(Dictionary<string, Weight> weights, string prefix, OnnxLayer layer, BertConfig config)
    {
        AddLinear(weights, $"{prefix}.attention.self.query", layer.Attention.Query);
        AddLinear(weights, $"{prefix}.attention.self.key", layer.Attention.Key);
        AddLinear(weights, $"{prefix}.attention.self.value", layer.Attention.Value);
        AddLinear(weights, $"{prefix}.attention.output.dense", layer.Attention.Output);
        AddNorm(weights, $"{prefix}.attention.output.LayerNorm", layer.Attention.Norm, config);
        AddLinear(weights, $"{prefix}.intermediate.dense", layer.Intermediate);
        AddLinear(weights, $"{prefix}.output.dense", layer.Output);
        AddNorm(weights, $"{prefix}.output.LayerNorm", layer.Norm, config);
        if (layer.Attention.Query.Outputs != config.HiddenSize || layer.Output.Outputs != config.HiddenSize)
            throw new NotSupportedException($"its layers are not {config.HiddenSize} wide, as its embeddings are");
    }

    private static void AddLinear(Dictionary<string, Weight> weights, string prefix, OnnxLinear? linear)
    {
        if (linear is null) return;
        weights.Add($"{prefix}.weight", new Weight(linear.Weight, [linear.Outputs, linear.Inputs], linear.IsTransposed));
        weights.Add($"{prefix}.bias", new Weight(linear.Bias, [linear.Outputs]));
    }

    private static void AddNorm(Dictionary<string, Weight> weights, string prefix, OnnxLayerNorm norm, BertConfig config)
    {
        if (norm.Weight.Count != config.HiddenSize || norm.Bias.Count != config.HiddenSize)
            throw new NotSupportedException($"its LayerNorms are not {config.HiddenSize} wide, as its embeddings are");
        weights.Add($"{prefix}.weight", new Weight(norm.Weight, [config.HiddenSize]));
        weights.Add($"{prefix}.bias", new Weight(norm.Bias, [config.HiddenSize]));
    }
}

/// <summary>An ONNX file that cannot be read as a BERT; the message says which file, what is wrong and what to do.</summary>
public sealed class OnnxException : CheckpointException
{
    /// <summary>Carries one clear sentence.</summary>
    public OnnxException(string message, Exception? innerException = null) : base(message, innerException) { }
}
