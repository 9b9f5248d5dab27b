// Hugging Face's tutorial "Fine-tune a pretrained model", step by step in C#:
//   dotnet run --project samples/Tutorial -c Release -- CHECKPOINT-FOLDER REVIEWS.csv [ROWS]
using ServerlessBert.Modeling.Checkpoints;
using ServerlessBert.Modeling.Evaluation;
using ServerlessBert.Modeling.Inference;
using ServerlessBert.Modeling.Optimizers;
using ServerlessBert.Modeling.Recipes;
using ServerlessBert.Modeling.Tokenization;
using ServerlessBert.Modeling.Training;
using ServerlessBert.Reviews;
using ServerlessBert.Reviews.Files;
using TorchSharp;
using static TorchSharp.torch;

string folder = args[0], file = args[1];
int rows = args.Length > 2 ? int.Parse(args[2], System.Globalization.CultureInfo.InvariantCulture) : 1000;
string output = Directory.CreateTempSubdirectory("tutorial-").FullName;

#region Load the reviews and look at one
await using LocalReviewFile reviewFile = await LocalReviewFile.OpenAsync(file, new ReviewOptions());
List<Review> dataset = await reviewFile.ReadAsync().ToListAsync();
Console.WriteLine($"{dataset.Count:N0} reviews; the first has {dataset[0].Stars} stars: {dataset[0].Text}");
#endregion

#region Tokenize: ids, token types and mask, padded to the maximum or to the longest
BertTokenizer tokenizer = BertTokenizer.FromFolder(folder);
using EncodedBatch padded = tokenizer.Encode([dataset[0].Text], PaddingStrategy.MaxLength);
using EncodedBatch shorter = tokenizer.Encode([dataset[0].Text, dataset[1].Text], PaddingStrategy.Longest);
Console.WriteLine($"padded to the maximum: {Shape(padded.InputIds)}; to the longest: {Shape(shorter.InputIds)}");
#endregion

#region Shuffle with a seed and take the first thousand
LabelledReview[] shuffled = [.. RowSubset.Of([.. dataset.Where(row => row.Stars is not null)], 2 * rows, seed: 42)
    .Select(row => new LabelledReview(row.Text, row.Stars!.Value - 1))];
LabelledReview[] train = shuffled[..(shuffled.Length / 2)], test = shuffled[(shuffled.Length / 2)..];
#endregion

#region The Trainer's way: a pretrained checkpoint with five labels, trained and saved
var trained = TrainingRecipe.FineTune(folder, train, Path.Combine(output, "trainer"), new TrainingOptions { Epochs = 1, BatchSize = 8 });
Console.WriteLine($"the Trainer's way: {trained.Result.Steps} steps, loss {trained.Result.FinalLoss:0.000}");
#endregion

#region The plain loop: batches, AdamW, a linear schedule, backward, step, a progress bar
manual_seed(42);
using Checkpoint checkpoint = Checkpoint.Load(folder);
var model = checkpoint.Model;
var batches = train.Chunk(8).ToArray();
const int epochs = 3;
using var optimizer = optim.AdamW(model.parameters(), lr: 5e-5, weight_decay: 0);
var schedule = new LearningRateSchedule(ScheduleKind.Linear, TotalSteps: epochs * batches.Length).For(optimizer);

model.train();
for (int step = 0; step < epochs * batches.Length; step++)
{
    using var scope = NewDisposeScope();
    LabelledReview[] batch = batches[step % batches.Length];
    EncodedBatch inputs = tokenizer.Encode([.. batch.Select(review => review.Text)]);
    Tensor labels = tensor(batch.Select(review => (long)review.Label).ToArray());
    var (loss, _) = model.forward(inputs.InputIds, inputs.AttentionMask, inputs.TokenTypeIds, labels);
    optimizer.zero_grad();
    loss.backward();
    optimizer.step();
    schedule.step();
    ProgressBar(step + 1, epochs * batches.Length, loss.ToSingle());
}
#endregion

#region Evaluate: accuracy over all batches, the last, short one too
model.eval();
EvaluationMetrics metrics;
using (no_grad())
using (NewDisposeScope())
{
    Tensor[] logits = [.. test.Chunk(8).Select(batch => tokenizer.Encode([.. batch.Select(review => review.Text)]))
        .Select(inputs => model.forward(inputs.InputIds, inputs.AttentionMask, inputs.TokenTypeIds))];
    metrics = EvaluationMetrics.FromLogits(tensor(test.Select(review => (long)review.Label).ToArray()), cat(logits));
}
Console.WriteLine($"accuracy {metrics.Accuracy:0.000} on {metrics.Rows:N0} reviews");
#endregion

#region Save, and load again
checkpoint.Save(Path.Combine(output, "loop"));
using Checkpoint loaded = Checkpoint.Load(Path.Combine(output, "loop"));
#endregion

#region One sentence: logits, softmax, argmax
using (no_grad())
using (NewDisposeScope())
{
    EncodedBatch sentence = tokenizer.Encode(["The food was great, and the staff were lovely!"]);
    Tensor logits = loaded.Model.forward(sentence.InputIds, sentence.AttentionMask, sentence.TokenTypeIds); // [1, labels]
    Tensor probabilities = logits.softmax(-1);
    Console.WriteLine(
        $"probabilities {string.Join(' ', probabilities.data<float>().Select(each => $"{each:0.000}$"))}: "
            + $"{probabilities.argmax(-1).item<long>() + 1} stars");
}
#endregion

#region In production: the classifier that packs tokens and chooses the fastest dtype
using ReviewClassifier classifier = ReviewClassifier.Load(Path.Combine(output, "loop"));
Console.WriteLine($"{classifier.Classify(["The food was great, and the staff were lovely!"])[0].Stars} stars, in {classifier.Dtype}");
#endregion

static string Shape(Tensor tensor) => $"[{string.Join(", ", tensor.shape)}]";

static void ProgressBar(int step, int steps, float loss)
{
    if (Console.IsOutputRedirected && step < steps) return;
    Console.Write($"\r[{new string('#', 30 * step / steps),-30}] {step}/{steps} loss "
        + $"{loss:0.000}{(step == steps ? Environment.NewLine : "")}");
}
