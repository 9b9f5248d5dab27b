using System.CommandLine;
using Azure.Storage.Blobs;
using ServerlessBert.Cli.Input;
using ServerlessBert.Cli.Options;
using ServerlessBert.Cli.Output;
using ServerlessBert.Modeling;
using ServerlessBert.Modeling.Evaluation;
using ServerlessBert.Modeling.Pretraining;
using ServerlessBert.Modeling.Recipes;
using ServerlessBert.Modeling.Reports;
using ServerlessBert.Modeling.Training;
using ServerlessBert.Pipeline.Retraining;
using ServerlessBert.Pipeline.Storage;
using TorchSharp;

namespace ServerlessBert.Cli.Commands;

/// <summary><c>sbert train</c>: fine-tune here, or ask the training job to with <c>--queue</c>.</summary>
internal static class TrainCommand
{
    public static Command Create()
    {
        var data = new Option<FileInfo[]>("--data", "-d") { Description = "Labelled review files; with --queue they are uploaded first, and may be left out.", AllowMultipleArgumentsPerToken = true, DefaultValueFactory = _ => [] };
        var teachers = new Option<string[]>("--teacher") { Description = "The checkpoint folder of a model whose opinion of the rows is learned too; several for their mean.", AllowMultipleArgumentsPerToken = true, DefaultValueFactory = _ => [] };
        var pretrainEpochs = new Option<double?>("--pretrain-epochs") { Description = "First pretrain so many passes on the texts to learn from, as sbert pretrain does." };
        var evaluationFile = new Option<FileInfo?>("--eval") { Description = "A labelled file to measure on." };
        var evaluationFraction = new Option<double>("--eval-fraction") { Description = "Without --eval: the share of rows held out to measure on.", DefaultValueFactory = _ => 0.1 };
        var device = new Option<string>("--device") { Description = "Where to compute.", DefaultValueFactory = _ => "auto" };
        var output = new Option<DirectoryInfo?>("--out", "-o") { Description = "The folder for the checkpoint." };
        var checkpointEvery = new Option<int?>("--checkpoint-every") { Description = "Steps between checkpoints to go on from after an interruption (every ten minutes)." };
        var noCheckpoints = new Option<bool>("--no-checkpoints") { Description = "Neither keep checkpoints nor go on from one." };
        var tolerance = new Option<double?>("--tolerance") { Description = "With --queue: how much less accurate than the live model the new one may be and still go live (0.005)." };
        var significance = new Option<double?>("--significance") { Description = "With --queue: the new model must also be better with at most this p-value of McNemar's test." };
        var queue = new Option<bool>("--queue") { Description = "Send the request to the training queue instead." };
        device.AcceptOnlyFromAmong("auto", "cpu", "cuda");

        var (starts, settings) = (new StartSettings(), new TrainingSettings());
        var command = new Command("train", "Fine-tune a model on labelled reviews.") { data, teachers, pretrainEpochs, evaluationFile, evaluationFraction, device, output, checkpointEvery, noCheckpoints, tolerance, significance, queue };
        starts.AddTo(command);
        settings.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            if (parsed.GetValue(checkpointEvery) is <= 0) throw new UsageException("--checkpoint-every is a number of steps, 1 or more.");
            if (parsed.GetValue(pretrainEpochs) is <= 0) throw new UsageException("--pretrain-epochs is a number of passes above 0, such as 3.");
            if (parsed.GetValue(checkpointEvery) is not null && parsed.GetValue(noCheckpoints)) throw new UsageException("give either --checkpoint-every or --no-checkpoints, not both.");
            if (parsed.GetValue(queue))
            {
                var (from, vocabularySize) = starts.Requested(parsed);
                if (parsed.GetValue(teachers)!.Length > 0) throw new UsageException("--teacher is for training here; with --queue it cannot be given.");
                if (parsed.GetValue(pretrainEpochs) is not null) throw new UsageException("--pretrain-epochs is for training here; with --queue it cannot be given.");
                if (parsed.GetValue(evaluationFile) is not null) throw new UsageException("--eval is for training here; with --queue the evaluation set is what lies under evaluation/ in the container training-data.");
                TrainingRequest request = settings.Request(parsed) with
                {
                    Base = from,
                    EvalFraction = parsed.GetValue(evaluationFraction),
                    VocabularySize = vocabularySize,
                    Tolerance = parsed.GetValue(tolerance),
                    Significance = parsed.GetValue(significance),
                };
                return await TrainingQueueing.SendAsync(request, parsed.GetValue(data)!, cancellationToken);
            }

            if (parsed.GetValue(data)!.Length == 0) throw new UsageException("--data names the labelled files to learn from.");
            string folder = parsed.GetValue(output)?.FullName ?? throw new UsageException("--out names the folder for the checkpoint.");
            if (parsed.GetValue(teachers)!.FirstOrDefault(teacher => !Directory.Exists(teacher)) is { } missing) throw new UsageException($"there is no folder {missing}; --teacher names a checkpoint folder.");
            TrainingStart start = await starts.StartAsync(parsed, cancellationToken);
            TrainingOptions options = settings.Over(start.DefaultOptions, parsed);
            options.Validate();
            PretrainingOptions? pretraining = parsed.GetValue(pretrainEpochs) is { } passes ? start.DefaultPretraining with { Epochs = passes, Seed = options.Seed, Compute = options.Compute } : null;
            pretraining?.Validate();
            NeedsLibTorch.Check();
            torch.Device computeOn = ComputeDevice.Named(parsed.GetValue(device)!);

            var (train, sources) = await LocalReviews.LabelledAsync(parsed.GetValue(data)!, cancellationToken);
            StratifiedSplit split = parsed.GetValue(evaluationFile) is { } file
                ? await MeasuredOnAsync(file, train, cancellationToken)
                : HeldOut(train, parsed.GetValue(evaluationFraction), options.Seed);
            split = split.Limited(options);
            Announce(train, split);

            TrainingCheckpoints? checkpoints = parsed.GetValue(noCheckpoints) ? null : new TrainingCheckpoints(Path.Combine(folder, "checkpoints"))
            {
                EverySteps = parsed.GetValue(checkpointEvery),
                Every = parsed.GetValue(checkpointEvery) is null ? TimeSpan.FromMinutes(10) : null,
                Remark = Terminal.Say,
            };
            var fineTuning = new TrainingRecipe(start, options, computeOn, sources) { Teachers = parsed.GetValue(teachers)!, Pretraining = pretraining };
            TrainingRecord record = TrainingDisplay.Run(Terminal.Remarks, Terminal.IsWatched,
                progress => fineTuning.Run(split, folder, progress, Terminal.Say, cancellationToken, checkpoints));

            ShowEnd(record.Result, folder, checkpoints);
            return record.Result.IsCancelled ? ExitCode.Failed : ExitCode.Done;
        });
        return command;
    }

    private static async Task<StratifiedSplit> MeasuredOnAsync(FileInfo file, LabelledReviews train, CancellationToken cancellationToken)
    {
        var (evaluation, _) = await LocalReviews.LabelledAsync([file], cancellationToken);
        if (evaluation.Rows.Count == 0) throw new TrainingException($"{file.Name} has no labelled review to measure on; give it stars 1-5 or labels 0-4.");
        StratifiedSplit split = StratifiedSplit.Given(train.Rows, evaluation.Rows);
        if (split.Train.Count < train.Rows.Count)
            Terminal.Say($"left out: {train.Rows.Count - split.Train.Count:N0} rows to learn from whose text is measured on in {file.Name} too");
        return split;
    }

    private static StratifiedSplit HeldOut(LabelledReviews train, double fraction, int seed)
    {
        StratifiedSplit split = StratifiedSplit.Of(train.Rows, fraction, seed);
        if (split.Evaluation.Count == 0 && fraction > 0 && train.Rows.Count > 0)
            throw new TrainingException(FormattableString.Invariant($"Of {train.Rows.Count} labelled reviews none is held out by the fraction {fraction}; give --eval FILE, more reviews, or --eval-fraction 0 to train without measuring."));
        return split;
    }

    private static void ShowEnd(TrainingResult result, string folder, TrainingCheckpoints? checkpoints)
    {
        if (result.Evaluation is { } metrics) EvaluationTable.Show(Terminal.Remarks, metrics);
        if (result.Calibration is { } calibration)
            Terminal.Say($"calibration error {calibration.ErrorBefore:0.000} before and {calibration.ErrorAfter:0.000} after dividing by the temperature {calibration.Temperature:0.00}, which predictions take from {Calibration.FileName}");
        string ended = result.End switch
        {
            TrainingEnd.Completed => "trained",
            TrainingEnd.EarlyStopping => "stopped early, since accuracy rose no more,",
            TrainingEnd.TimeLimit => "stopped at the limit of hours",
            _ => "stopped",
        };
        Terminal.Say($"{ended} after {result.Steps:N0} steps in {result.Seconds:N0} s ({result.ReviewsPerSecond:N1} reviews/s, {result.TokensPerSecond:N0} tokens/s, {result.PaddingShare:0.0 %} padding); the model of step {result.KeptStep:N0} is in {folder}");
        Terminal.Say($"report: {Path.Combine(folder, TrainingReport.FileName)}; every logged step: {Path.Combine(folder, TrainingLog.FileName)}; curves: tensorboard --logdir {Path.Combine(folder, TrainingLog.TensorBoardFolderName)}");
        if (result.IsCancelled && checkpoints is not null) Terminal.Say("the same command goes on from there");
    }

    private static void Announce(LabelledReviews reviews, StratifiedSplit split) => Terminal.Say(
        $"{reviews.Rows.Count:N0} labelled reviews ({string.Join(", ", reviews.Histogram().Select((count, label) => $"{label + 1}★ {count:N0}"))}); {split.Train.Count:N0} to learn from, {split.Evaluation.Count:N0} held out");
}

/// <summary><c>sbert train --queue</c>: uploads labelled files and sends the request to the training job.</summary>
internal static class TrainingQueueing
{
    /// <summary>Sends a request over the uploaded files, or over all of training-data/ where none are given.</summary>
    public static async Task<int> SendAsync(TrainingRequest request, IReadOnlyList<FileInfo> files, CancellationToken cancellationToken)
    {
        if (files.FirstOrDefault(file => !file.Exists) is { } absent) throw new UsageException($"{absent.FullName} is not there.");
        // What the job would refuse is refused here, before anything is uploaded.
        TrainingRequest checkedRequest = TrainingRequest.Parse(request.ToBody());
        PipelineStorage storage = await Storage.OpenAsync(cancellationToken);
        foreach (FileInfo file in files)
        {
            BlobClient blob = storage.Container(StorageNames.TrainingData).GetBlobClient(file.Name);
            await blob.UploadAsync(file.FullName, overwrite: true, cancellationToken);
            Terminal.Say($"uploaded {file.Name} to {StorageNames.TrainingData}/");
        }
        if (files.Count > 0) checkedRequest = checkedRequest with { Data = [.. files.Select(file => file.Name)] };
        await new TrainingRequests(storage).SendAsync(checkedRequest, cancellationToken);
        Terminal.Say($"the request is in {StorageNames.TrainingRequests}; a running `sbert host` starts the training job, or run `sbert trainer`");
        return ExitCode.Done;
    }
}
