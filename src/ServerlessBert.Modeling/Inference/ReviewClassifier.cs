using ServerlessBert.Modeling.Bert;
using ServerlessBert.Modeling.Checkpoints;
using ServerlessBert.Modeling.Inference.Int8;
using ServerlessBert.Modeling.Inference.Packed;
using ServerlessBert.Modeling.Tokenization;

namespace ServerlessBert.Modeling.Inference;

/// <summary>
/// A checkpoint ready to classify: tokenizer and eval-mode model. Calls may come from any thread; their forward passes take
/// turns on the process's cores.
/// </summary>
public sealed class ReviewClassifier : IDisposable
{
    private readonly IBatchForward forward;
    private readonly BertTokenizer tokenizer;
    private readonly CalibrationTemperature calibration;
    private readonly InferenceOptions options;

    private ReviewClassifier(
        IBatchForward forward, BertConfig config, BertTokenizer tokenizer, CalibrationTemperature calibration, InferenceOptions options,
        InferenceDtype dtype)
    {
        this.forward = forward;
        this.tokenizer = tokenizer.ForUntrustedText(); // a review is data
        this.calibration = calibration;
        this.options = options;
        Dtype = dtype.ToString().ToLowerInvariant();
        Labels = Labels.Parse(config.Id2Label);
        MaxLength = Math.Min(options.MaxLength ?? int.MaxValue, Math.Min(config.MaxPositionEmbeddings, tokenizer.Options.ModelMaxLength));
    }

    /// <summary>The number type in use: float32, bfloat16 or int8.</summary>
    public string Dtype { get; }

    /// <summary>Whether oneDNN's packed layers compute, rather than the plain module tree.</summary>
    public bool IsFast => forward.IsFast;

    /// <summary>Longest input in tokens, special tokens included; longer texts are truncated.</summary>
    public int MaxLength { get; }

    /// <summary>What the model tells apart: stars, or classes.</summary>
    public Labels Labels { get; }

    /// <summary>How many labels the model tells apart.</summary>
    public int NumLabels => Labels.Names.Count;

    /// <summary>Loads a checkpoint folder and puts it into evaluation mode.</summary>
    /// <param name="folder">A folder as Hugging Face saves one: config.json, model.safetensors, vocab.txt; and calibration.json
    /// where training fitted one.</param>
    /// <param name="options">Number type, limits and threads; null takes the defaults.</param>
    /// <exception cref="IOException">A file is missing or cannot be read.</exception>
    /// <exception cref="InvalidDataException">A file is not what a BERT checkpoint holds; the message names it.</exception>
    public static ReviewClassifier Load(string folder, InferenceOptions? options = null) =>
        NativeThread.Run(() => LoadHere(folder, options ?? new InferenceOptions()));

    private static ReviewClassifier LoadHere(string folder, InferenceOptions options)
    {
        // Beside libtorch's own loading and the weights', which take longer.
        var vocabulary = Task.Run(() => BertTokenizer.FromFolder(folder));
        try
        {
            InferenceDtype dtype = Prepare(options);
            CalibrationTemperature calibration = CalibrationTemperature.Load(folder);
            if (IsPlain(options))
            {
                LoadedModel loaded = LoadedModel.Load(folder, new CheckpointOptions { RequireClassifier = true });
                return new ReviewClassifier(
                    new LibTorchForward(EagerForward.Of(loaded.Model, vocabulary.GetAwaiter().GetResult(), dtype)), loaded.Model.Config,
                    vocabulary.Result, calibration, options, dtype);
            }
            // Straight from the file to packed weights: no module tree in between.
            using var weights = StoredWeights.Open(folder);
            return new ReviewClassifier(
                Packed(weights.Config, weights, dtype), weights.Config, vocabulary.GetAwaiter().GetResult(), calibration, options, dtype);
        }
        finally
        {
            vocabulary.ContinueWith(task => _ = task.Exception, TaskScheduler.Default); // seen, where something else failed first
        }
    }

    /// <summary>Takes a loaded checkpoint over: it is disposed with the classifier.</summary>
    /// <param name="checkpoint">A model and its tokenizer.</param>
    /// <param name="options">Number type, limits and threads; null takes the defaults.</param>
    public static ReviewClassifier Of(Checkpoint checkpoint, InferenceOptions? options = null) =>
        NativeThread.Run(() => OfHere(checkpoint, options ?? new InferenceOptions()));

    private static ReviewClassifier OfHere(Checkpoint checkpoint, InferenceOptions options)
    {
        InferenceDtype dtype = Prepare(options);
        BertConfig config = checkpoint.Config;
        if (IsPlain(options))
            return new ReviewClassifier(
                new LibTorchForward(EagerForward.Of(checkpoint.Model, checkpoint.Tokenizer, dtype)), config, checkpoint.Tokenizer,
                CalibrationTemperature.None, options, dtype);
        using (checkpoint)
        {
            var weights = new TensorsInMemory(checkpoint.Model.state_dict());
            return new ReviewClassifier(
                Packed(config, weights, dtype), config, checkpoint.Tokenizer, CalibrationTemperature.None, options, dtype);
        }
    }

    private static bool IsPlain(InferenceOptions options) => options.PlainForward || TorchScriptOps.IsMissing;

    private static IBatchForward Packed(BertConfig config, IWeightSource weights, InferenceDtype dtype) =>
        dtype == InferenceDtype.Int8 && Int8Forward.IsSupported
            ? Int8Forward.Create(config, weights, LibTorchForward.DefaultThreads)
            : new LibTorchForward(new PackedForward(config, weights, dtype));

    private static InferenceDtype Prepare(InferenceOptions options) => LibTorchForward.OnThreads(options, () =>
        IsPlain(options) ? DtypeSelection.Plain(options.Dtype) : DtypeSelection.Packed(options.Dtype));

    /// <summary>Classifies texts; the result is in their order, and does not depend on which texts are classified together.</summary>
    /// <param name="texts">Reviews; an empty text is classified as [CLS] [SEP].</param>
    /// <param name="cancellationToken">Looked at between passes.</param>
    public IReadOnlyList<Classification> Classify(IReadOnlyList<string> texts, CancellationToken cancellationToken = default) =>
        Classify(Tokenize(texts), cancellationToken);

    /// <summary>Tokenizes texts, on any thread: so that the next batch can be tokenized while one computes.</summary>
    /// <param name="texts">Reviews.</param>
    public IReadOnlyList<EncodedText> Tokenize(IReadOnlyList<string> texts) =>
        [.. texts.Select(text => tokenizer.EncodeText(text, MaxLength))];

    /// <summary>Classifies what <see cref="Tokenize"/> gave.</summary>
    /// <param name="texts">Token ids of each review.</param>
    /// <param name="cancellationToken">Looked at between passes.</param>
    public IReadOnlyList<Classification> Classify(IReadOnlyList<EncodedText> texts, CancellationToken cancellationToken = default)
    {
        float[][] logits = forward.Logits([.. texts.Select(text => text.InputIds)], options, cancellationToken);
        return [.. texts.Zip(logits, (text, row) => Describe(text, calibration.Probabilities(row)))];
    }

    private Classification Describe(EncodedText text, float[] probabilities) =>
        new(Labels.InOrder(probabilities), text.InputIds.Length, text.UnknownTokens, text.IsTruncated) { Labels = Labels };

    /// <summary>
    /// Frees the weights, and gives their memory back to the system, when the passes that are waiting have ended: it is not
    /// waited for, since a host frees a model while another one answers. A model that is loaded next is loaded after it.
    /// </summary>
    public void Dispose() => NativeThread.Post(() =>
    {
        forward.Dispose();
        NativeHeap.Trim();
    });
}

/// <summary>What the model says of one review.</summary>
/// <param name="Probabilities">Softmax of the logits, [labels], in the order of the labels' names; of a scale, index 0 is one star.</param>
/// <param name="Tokens">Tokens the model saw, special tokens included.</param>
/// <param name="UnknownTokens">How many of them were [UNK].</param>
/// <param name="IsTruncated">Whether the text was longer than the model's maximum.</param>
public sealed record Classification(float[] Probabilities, int Tokens, int UnknownTokens, bool IsTruncated)
{
    /// <summary>What the probabilities are of: the five stars, unless it is said.</summary>
    public Labels Labels { get; init; } = Labels.Stars;

    /// <summary>The name of the most probable label, such as "sports" or "5 stars".</summary>
    public string Label => Labels.Names[Stars - 1];

    /// <summary>The most probable rating, 1 to the number of labels; the lower one of equals.</summary>
    public int Stars => Array.IndexOf(Probabilities, Probabilities.Max()) + 1;

    /// <summary>The probability of <see cref="Stars"/>.</summary>
    public float Confidence => Probabilities.Max();

    /// <summary>The mean rating under <see cref="Probabilities"/>.</summary>
    public float ExpectedStars => Probabilities.Select((probability, label) => probability * (label + 1)).Sum();

    /// <summary>The label and its probability: "5 stars (0.83)".</summary>
    public override string ToString() => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{Label} ({Confidence:0.00})");
}
