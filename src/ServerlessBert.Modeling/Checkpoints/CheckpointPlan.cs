using ServerlessBert.Modeling.Bert;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling.Checkpoints;

/// <summary>
/// What of a folder goes where: decided from headers and config.json alone, before any memory is taken for weights.
/// </summary>
/// <param name="Config">The configuration, with labels that fit the classifier of the file.</param>
/// <param name="Stored">The tensors to read, by the module tree's key.</param>
/// <param name="Fresh">Keys that the files lack and may lack, with their shapes.</param>
/// <param name="Notes">One-line remarks for people.</param>
internal sealed record CheckpointPlan(
    BertConfig Config, Dictionary<string, StoredTensor> Stored, Dictionary<string, long[]> Fresh, IReadOnlyList<string> Notes)
{
    private const string ClassifierWeight = "classifier.weight";
    private const int MaxNamed = 5;

    /// <summary>Compares a folder's tensors with what its configuration needs.</summary>
    /// <exception cref="CheckpointException">Keys that are missing or of a wrong shape, each named.</exception>
    public static CheckpointPlan Of(string folder, CheckpointFolder files, BertConfig config, CheckpointOptions options)
    {
        var stored = UnderTreeNames(folder, files, config);
        var notes = new List<string>();
        if (Drop(stored, WeightNames.IsPretrainingHead) is > 0 and var heads)
            notes.Add($"The pretraining head ({heads} tensors) is dropped.");
        config = WithLabelsOf(stored, config, notes);
        var shapes = BertShapes.Of(config);
        DropUnused(stored, shapes, notes);
        var fresh = FreshParts(stored, shapes, notes);
        if (options.RequireClassifier && fresh.Count > 0)
            throw new CheckpointException(
                $"{folder} has no trained {(fresh.ContainsKey(ClassifierWeight) ? "classifier" : "pooler")}, so it cannot classify; "
                    + $"fine-tune it first.");
        RequireFit(folder, stored, shapes, fresh);
        return new CheckpointPlan(config, stored, fresh, notes);
    }

    private static Dictionary<string, StoredTensor> UnderTreeNames(string folder, CheckpointFolder files, BertConfig config)
    {
        var stored = new Dictionary<string, StoredTensor>();
        foreach (var (key, tensor) in files.Tensors)
        {
            string name = WeightNames.ToBert(key, config.IsDistilled);
            if (WeightNames.IsBuffer(name)) continue;
            if (!stored.TryAdd(name, tensor))
                throw new CheckpointException($"{folder} holds '{name}' twice, as '{stored[name].Entry.Name}' and as '{key}'.");
        }
        return stored;
    }

    private static int Drop(Dictionary<string, StoredTensor> stored, Func<string, bool> isDropped)
    {
        var dropped = stored.Keys.Where(isDropped).ToList();
        dropped.ForEach(key => stored.Remove(key));
        return dropped.Count;
    }

    // Other code's buffers and heads, a loss's weights: what the model has no place for, as from_pretrained warns of.
    private static void DropUnused(Dictionary<string, StoredTensor> stored, Dictionary<string, long[]> shapes, List<string> notes)
    {
        string[] unused =
            [.. stored.Where(pair => !shapes.ContainsKey(pair.Key)).Select(pair => Named(pair.Key, pair.Value))
            .Order(StringComparer.Ordinal)];
        Drop(stored, key => !shapes.ContainsKey(key));
        if (unused.Length == 0) return;
        string more = unused.Length > MaxNamed ? $" and {unused.Length - MaxNamed} more" : "";
        notes.Add($"{(unused.Length == 1 ? "A tensor is" : $"{unused.Length} tensors are")} not used: "
            + $"{string.Join(", ", unused.Take(MaxNamed))}{more}.");
    }

    // Hugging Face leaves labels without names out of config.json; then the classifier says how many there are.
    private static BertConfig WithLabelsOf(Dictionary<string, StoredTensor> stored, BertConfig config, List<string> notes)
    {
        if (config.HasOwnLabels || !stored.TryGetValue(ClassifierWeight, out var classifier)
            || classifier.Entry.Shape is not [> 1 and < int.MaxValue and var labels, _] || labels == config.NumLabels) return config;
        notes.Add($"config.json names no labels; the classifier has {labels}.");
        return config with { Id2Label = BertConfig.NumberedLabels((int)labels) };
    }

    private static Dictionary<string, long[]> FreshParts(
        Dictionary<string, StoredTensor> stored, Dictionary<string, long[]> shapes, List<string> notes)
    {
        var fresh = new Dictionary<string, long[]>();
        foreach (var (prefix, name) in (ReadOnlySpan<(string, string)>)[
            (BertShapes.Pooler, "pooler"), (BertShapes.Classifier, "classifier")])
        {
            // A part of which anything is there is not absent but broken.
            if (stored.Keys.Any(key => key.StartsWith(prefix, StringComparison.Ordinal))) continue;
            foreach (var (key, shape) in shapes.Where(pair => pair.Key.StartsWith(prefix, StringComparison.Ordinal))) fresh[key] = shape;
            notes.Add($"The {name} is not in the checkpoint and starts fresh.");
        }
        return fresh;
    }

    private static void RequireFit(
        string folder, Dictionary<string, StoredTensor> stored, Dictionary<string, long[]> shapes, Dictionary<string, long[]> fresh)
    {
        string[] faults =
        [
            .. shapes.Keys.Where(key => !stored.ContainsKey(key) && !fresh.ContainsKey(key)).Select(key => $"missing: {key}"),
            .. stored.Where(pair => shapes.TryGetValue(pair.Key, out var shape) && !shape.SequenceEqual(pair.Value.Entry.Shape))
                .Select(pair => $"wrong shape: {Named(pair.Key, pair.Value)} is {Text(pair.Value.Entry.Shape)}, config.json says "
                    + $"{Text(shapes[pair.Key])}"),
            .. stored.Where(pair => !TorchSharp.torch.is_floating_point(pair.Value.Entry.Dtype))
                .Select(pair => $"wrong number type: {Named(pair.Key, pair.Value)} is {pair.Value.Entry.Dtype}"),
        ];
        if (faults.Length > 0)
            throw new CheckpointException($"The weights in {folder} do not fit its config.json:\n  {string.Join("\n  ", faults)}");
    }

    private static string Named(string key, StoredTensor tensor) =>
        tensor.Entry.Name == key ? key : $"{key} (in the file: {tensor.Entry.Name})";

    private static string Text(long[] shape) => $"[{string.Join(", ", shape)}]";
}

/// <summary>The weights of a checkpoint folder as tensors by key, without a module tree: for code that computes on its own.</summary>
public sealed class CheckpointWeights : IDisposable
{
    private CheckpointWeights(CheckpointPlan plan, Dictionary<string, Tensor> tensors) =>
        (Config, Notes, Tensors) = (plan.Config, plan.Notes, tensors);

    /// <summary>The folder's configuration.</summary>
    public BertConfig Config { get; }

    /// <summary>One-line remarks: what started fresh, what was dropped.</summary>
    public IReadOnlyList<string> Notes { get; }

    /// <summary>
    /// Every tensor of BertForSequenceClassification by its key, on the CPU and outside of any dispose scope; whoever
    /// takes one out of the dictionary owns it.
    /// </summary>
    public Dictionary<string, Tensor> Tensors { get; }

    /// <summary>Reads a folder; tensors are converted one at a time to <paramref name="dtype"/>, null keeps the files' own.</summary>
    /// <exception cref="CheckpointException">The folder is not a sound checkpoint; every fault is named.</exception>
    public static CheckpointWeights Load(string folder, ScalarType? dtype = null, CheckpointOptions? options = null)
    {
        options ??= new CheckpointOptions();
        var config = BertConfig.Load(folder);
        using var files = CheckpointFolder.Open(folder);
        var plan = CheckpointPlan.Of(folder, files, config, options);
        var weights = new CheckpointWeights(plan, []);
        try
        {
            CheckpointLoading.Fill(plan, options, (key, shape) =>
                weights.Tensors[key] = empty(shape, dtype ?? StoredDtype(plan, key)).DetachFromDisposeScope());
            return weights;
        }
        catch
        {
            weights.Dispose();
            throw;
        }
    }

    /// <summary>Frees the tensors that are still in the dictionary.</summary>
    public void Dispose()
    {
        foreach (var tensor in Tensors.Values) tensor.Dispose();
        Tensors.Clear();
    }

    private static ScalarType StoredDtype(CheckpointPlan plan, string key) =>
        plan.Stored.TryGetValue(key, out var stored) ? stored.Entry.Dtype : ScalarType.Float32;
}
