using System.CommandLine;
using ServerlessBert.Benchmarks.Results;
using ServerlessBert.Modeling.Tokenization;
using ServerlessBert.Modeling.Training;
using ServerlessBert.Pipeline.Retraining;
using ServerlessBert.Reviews;
using static TorchSharp.torch;

namespace ServerlessBert.Benchmarks.Training;

/// <summary>
/// <c>training</c>: fine-tuning as this project does it, against padding to max_length and against an optimizer of a kernel a
/// parameter, over the same reviews in one run; and how much of each way of batching is padding.
/// </summary>
internal static class TrainingBenchmark
{
    private const int MaxLength = 512;

    public static Command Command()
    {
        var reviews = new Option<FileInfo>("--reviews") { Description = "Labelled reviews.", Required = true };
        var vocabulary = new Option<FileInfo>("--vocab") { Description = "A vocab.txt: lengths in tokens depend on it.", Required = true };
        var preset = new Option<string>(
            "--preset")
        { Description = "The model's shape, with random weights.", DefaultValueFactory = _ => "base" };
        var batches = new Option<int>(
            "--batches")
        { Description = "Batches to train on, evenly over the lengths of one epoch's.", DefaultValueFactory = _ => 5 };
        var batchSize = new Option<int>("--batch-size") { Description = "Reviews a batch.", DefaultValueFactory = _ => 8 };
        var dtype = new Option<string>(
            "--dtype")
        { Description = "Number type of the encoder's products.", DefaultValueFactory = _ => "bfloat16" };
        dtype.AcceptOnlyFromAmong("float32", "bfloat16");
        var results = ResultsOption.Create();
        var command = new Command(
            "training", "Fine-tuning, against padding to max_length and against one AdamW kernel a parameter.") { reviews, vocabulary,
            preset, batches, batchSize, dtype, results };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var tokenizer = BertTokenizer.FromVocabulary(
                parsed.GetRequiredValue(vocabulary).FullName, new BertTokenizerOptions { LowerCase = true });
            var read = new LabelledReviews();
            await using FileStream content = parsed.GetRequiredValue(reviews).OpenRead();
            await read.AddAsync(content, parsed.GetRequiredValue(reviews).Name, new ReviewOptions(), cancellationToken);
            (int[] Ids, int Label)[] rows = [.. read.Rows.Select(row => (tokenizer.Encode(row.Text, MaxLength), row.Label))];
            Run(parsed.GetValue(preset)!, parsed.GetValue(dtype) == "float32" ? float32 : bfloat16, tokenizer, rows,
                parsed.GetValue(batches), parsed.GetValue(batchSize)).Show(parsed.GetValue(results));
            return 0;
        });
        return command;
    }

    private static BenchmarkResult Run(
        string preset, ScalarType compute, BertTokenizer tokenizer, (int[] Ids, int Label)[] rows, int count, int batchSize)
    {
        int[] lengths = [.. rows.Select(row => row.Ids.Length)];
        IReadOnlyList<int[]> epoch = LengthGroupedBatches.Of(lengths, batchSize, new Random(1));
        // Evenly over the epoch's lengths, so that a few batches stand for all.
        int[][] byLength = [.. epoch.OrderBy(batch => batch.Max(row => lengths[row]))];
        int[][] sample = [.. Enumerable.Range(0, count).Select(i => byLength[(int)((i + 0.5) / count * byLength.Length)])];

        using var ours = new TrainingSide(preset, tokenizer, compute, TrainingSide.Optimizer.Flat);
        using var torchs = new TrainingSide(preset, tokenizer, compute, TrainingSide.Optimizer.KernelAParameter);
        var grouped = new TrainingTime("batches of like length, padded to their own longest; AdamW over flat buffers");
        var padded = new TrainingTime($"the same, padded to {MaxLength} tokens");
        var kernels = new TrainingTime("the first, with torch's AdamW and clipping, kernels for each parameter");
        ours.Step(rows, sample[0], 0);
        torchs.Step(rows, sample[0], 0);
        foreach (int[] batch in sample) // in turns, so that what the machine does beside it meets all alike
        {
            grouped.Add(ours.Step(rows, batch, padTo: 0));
            kernels.Add(torchs.Step(rows, batch, padTo: 0));
            padded.Add(ours.Step(rows, batch, MaxLength));
        }
        var figures = new Dictionary<string, double>
        {
            ["tokensPerSecond"] = grouped.TokensPerSecond,
            ["overPaddingToMaxLength"] = grouped.TokensPerSecond / padded.TokensPerSecond,
            ["overKernelAParameter"] = grouped.TokensPerSecond / kernels.TokensPerSecond,
            ["optimizerOverKernelAParameter"] = kernels.OptimizerMilliseconds / grouped.OptimizerMilliseconds,
            ["optimizerMilliseconds"] = grouped.OptimizerMilliseconds,
        };
        foreach (var (name, share) in PaddingShares.Of(lengths, batchSize, MaxLength)) figures[name] = share;
        return BenchmarkResult.Of("training", figures,
            TrainingTime.Table(
                $"{preset}, {batchSize} reviews a batch, {compute} products over float32 weights, {get_num_threads()} threads",
                [grouped, padded, kernels]),
            PaddingShares.Table(lengths, batchSize, MaxLength));
    }
}
