using ServerlessBert.Modeling.Inference;
using ServerlessBert.Modeling.Optimizers;

namespace ServerlessBert.Modeling.Training;

/// <summary>Every setting of a fine-tuning, with its default and the reason for it.</summary>
public sealed partial record TrainingOptions
{
    /// <summary>Passes over the data: 3, as in BERT's paper and the Trainer.</summary>
    public double Epochs { get; init; } = 3;

    /// <summary>Most optimizer steps, or null for as many as <see cref="Epochs"/> need.</summary>
    public int? MaxSteps { get; init; }

    /// <summary>Hours after which training ends with what it has, or null: what a rented machine may cost. Pieces before a resumption count.</summary>
    public double? MaxHours { get; init; }

    /// <summary>Rows to learn from, drawn with <see cref="Seed"/>; null takes all. The tutorial takes 1,000 to be quick.</summary>
    public int? MaxRows { get; init; }

    /// <summary>Rows to measure on, drawn with <see cref="Seed"/>; null takes all.</summary>
    public int? MaxEvaluationRows { get; init; }

    /// <summary>Reviews a forward pass: 16, the smaller of the two that BERT's paper tried.</summary>
    public int BatchSize { get; init; } = 16;

    /// <summary>Batches whose gradients make one step: 1. More give the step of a larger batch in the memory of a small one.</summary>
    public int GradientAccumulation { get; init; } = 1;

    /// <summary>Longest review in tokens, special tokens included; null takes the model's maximum.</summary>
    public int? MaxLength { get; init; }

    /// <summary>
    /// Whether every review is padded to the longest length, in shuffled batches, as the tutorial's tokenize function does.
    /// Off: batches of like length padded to their own longest compute the same for a fraction of the tokens.
    /// </summary>
    public bool PadToMax { get; init; }

    /// <summary>AdamW, with which BERT is trained; or SGD.</summary>
    public OptimizerKind Optimizer { get; init; } = OptimizerKind.AdamW;

    /// <summary>The schedule's peak: 5e-5, the Trainer's default for a pretrained model.</summary>
    public double LearningRate { get; init; } = 5e-5;

    /// <summary>The schedule after the warm-up: linear, as BERT and the Trainer have it.</summary>
    public ScheduleKind Schedule { get; init; } = ScheduleKind.Linear;

    /// <summary>Share of the steps over which the learning rate climbs from 0: BERT warms up over 10 %.</summary>
    public double WarmupRatio { get; init; } = 0.1;

    /// <summary>Steps over which the learning rate climbs; null takes <see cref="WarmupRatio"/>.</summary>
    public int? WarmupSteps { get; init; }

    /// <summary>Decay of weights: 0.01 as in BERT; biases and LayerNorms are never decayed.</summary>
    public double WeightDecay { get; init; } = 0.01;

    /// <summary>AdamW's decay of the first moment.</summary>
    public double Beta1 { get; init; } = 0.9;

    /// <summary>AdamW's decay of the second moment.</summary>
    public double Beta2 { get; init; } = 0.999;

    /// <summary>AdamW's epsilon: 1e-8, as in the Trainer (BERT's own code had 1e-6).</summary>
    public double Epsilon { get; init; } = 1e-8;

    /// <summary>SGD's momentum: 0, torch.optim.SGD's default.</summary>
    public double Momentum { get; init; }

    /// <summary>
    /// What a moving average of the weights keeps of itself a step; the average is then what is measured and kept, not the
    /// weights themselves. 0, off: at the end of a falling rate they differ little. With 0.995 the loss of a model from random
    /// weights was lower by 0.002 and its accuracy the same; it is of more use where the rate stays up. See <see cref="EmaWeights"/>.
    /// </summary>
    public double AverageDecay { get; init; }

    /// <summary>Largest norm of the whole gradient; larger ones are scaled down. 0 turns clipping off.</summary>
    public double MaxGradientNorm { get; init; } = 1.0;

    /// <summary>
    /// What a layer's learning rate is of the next higher one's: 1, all learn alike. Below 1, layers near the input, which
    /// know most about language in general, change less (Howard and Ruder 2018, arXiv:1801.06146; 0.95 in Sun et al. 2019, arXiv:1905.05583).
    /// </summary>
    public double LayerDecay { get; init; } = 1;

    /// <summary>Whether the embeddings stay as they are: off. On saves their share of the optimizer's memory.</summary>
    public bool FreezeEmbeddings { get; init; }

    /// <summary>Encoder layers, from the input, that stay as they are: 0. Frozen layers below the first trained one cost no backward pass.</summary>
    public int FrozenLayers { get; init; }

    /// <summary>Share of a label's probability that is spread over all labels (Szegedy et al. 2016, arXiv:1512.00567): 0, off.</summary>
    public double LabelSmoothing { get; init; }

    /// <summary>The loss's weight of each label, one star first; null weighs all alike, since predictions are judged by accuracy.</summary>
    public IReadOnlyList<double>? ClassWeights { get; init; }

    /// <summary>Whether labels weigh in inverse proportion to their rows: off; on for data in which a rating is rare and still matters.</summary>
    public bool BalancedClasses { get; init; }

    /// <summary>Dropout after embeddings and sub-layers; null takes the model's own, 0.1 in BERT.</summary>
    public double? HiddenDropout { get; init; }

    /// <summary>Dropout of attention probabilities; null takes the model's own, 0.1 in BERT.</summary>
    public double? AttentionDropout { get; init; }

    /// <summary>Dropout before the classifier; null takes the model's own.</summary>
    public double? ClassifierDropout { get; init; }

    /// <summary>
    /// Share of each review's tokens that are left out, others in each pass: 0, off, since a pretrained model overfits little.
    /// A small model that starts from random weights gains from 0.2 to 0.4; see <see cref="TokenDropout"/>.
    /// </summary>
    public double WordDropout { get; init; }

    /// <summary>
    /// Share of each review's tokens that are masked as in pretraining, others in each pass: 0, off, for the same reason.
    /// See <see cref="MaskedTokens"/>.
    /// </summary>
    public double TokenMasking { get; init; }

    /// <summary>
    /// Share of a star's probability that its neighbours get, half each (all of it where there is one): 0, off. People who
    /// like a place as much differ by a star; a model of few reviews is told so instead of learning their moods by heart
    /// (soft labels of ordinal classes: Díaz and Marathe 2019, "Soft Labels for Ordinal Regression", CVPR).
    /// </summary>
    public double NeighbourSmoothing { get; init; }

    /// <summary>
    /// Share of a row's target that is its teachers' probabilities, where it has some (<see cref="Distillation"/>); the rest is
    /// its label, smoothed as said above. 0.7: most of it, as Hinton et al. (2015, arXiv:1503.02531) found best. 1 with
    /// <see cref="TeacherViews"/>: a rating is not that of a text with half of its words.
    /// </summary>
    public double TeacherShare { get; init; } = 0.7;

    /// <summary>Views of each row that teachers are asked about and that are learned in each pass: 1, the row as it is, for as much work; 10 teach more. See <see cref="Distillation.Views"/>.</summary>
    public int TeacherViews { get; init; } = 1;

    /// <summary>
    /// Passes at first without dropout, word dropout and masking: 0. What is to be learned must be seen before noise can keep
    /// a model from learning it by heart: one of random weights with much noise stands still for some passes otherwise (late
    /// dropout: Liu et al. 2023, arXiv:2303.01500; Morerio et al. 2017, arXiv:1703.06229).
    /// </summary>
    public double CleanEpochs { get; init; }

    /// <summary>Seed of the split, of the order, of dropout and of fresh weights: 42, as in the Trainer.</summary>
    public int Seed { get; init; } = 42;

    /// <summary>
    /// The number type of the encoder's products: auto takes bfloat16 where this machine computes it faster. Weights,
    /// their update, LayerNorms, softmax, the head and the loss are float32 either way.
    /// </summary>
    public InferenceDtype Compute { get; init; } = InferenceDtype.Auto;

    /// <summary>Steps between evaluations; null evaluates after each epoch.</summary>
    public int? EvaluateEvery { get; init; }

    /// <summary>Steps between the lines of a log: 10. A progress bar sees every step.</summary>
    public int LogEvery { get; init; } = 10;

    /// <summary>Evaluations without a better accuracy after which training stops; null trains to the end.</summary>
    public int? Patience { get; init; }

    /// <summary>Whether the weights of the best evaluation are kept at the end, not the last ones: a small data set overfits.</summary>
    public bool KeepBest { get; init; } = true;

    /// <summary>
    /// Defaults for a model that starts from random weights: a rate ten times higher, since there is nothing to forget,
    /// more passes for the same reason, and reviews cut at 256 tokens, which holds nine of ten whole and halves the time.
    /// </summary>
    public static TrainingOptions FromScratch { get; } = new() { Epochs = 5, LearningRate = 5e-4, BatchSize = 32, MaxLength = 256 };
}

/// <summary>How gradients become updates.</summary>
public enum OptimizerKind
{
    /// <summary>Adam with decoupled weight decay; see <see cref="FlatAdamW"/>.</summary>
    AdamW,

    /// <summary>Stochastic gradient descent with momentum; see <see cref="FlatSgd"/>.</summary>
    Sgd,
}
