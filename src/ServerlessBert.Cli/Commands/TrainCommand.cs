using System.CommandLine;
using Azure.Storage.Blobs;
using ServerlessBert.Cli.Input;
using ServerlessBert.Cli.Options;
using ServerlessBert.Cli.Output;
using ServerlessBert.Modeling;
using ServerlessBert.Modeling.Evaluation;
using ServerlessBert.Modeling.Options;
using ServerlessBert.Modeling.Pretraining;
using ServerlessBert.Modeling.Recipes;
using ServerlessBert.Modeling.Reports;
using ServerlessBert.Modeling.Training;
using ServerlessBert.Modeling.Training.Checkpointing;
using ServerlessBert.Pipeline.Retraining;
using ServerlessBert.Pipeline.Storage;
using TorchSharp;

namespace ServerlessBert.Cli.Commands;

/// <summary><c>sbert train</c>: fine-tune here, or ask the training job to with <c>--queue</c>.</summary>
internal static class TrainCommand
{
    public static Command Create()
    {
        var data = new Option<FileInfo[]>("--data", "-d")
        {
            Description = "Labelled review files; with --queue they are uploaded first, and may be left out.",
            AllowMultipleArgumentsPerToken = true,
            DefaultValueFactory = _ => [],
        };
        var teachers = new Option<string[]>("--teacher")
        {
            Description = "The checkpoint folder of a model whose probabilities are learned too (distillation); several for their mean.",
            AllowMultipleArgumentsPerToken = true,
            DefaultValueFactory = _ => [],
        };
        Option<double?> pretrainEpochs = TypedOption.Create<double?>(
            OptionSet<PretrainingOptions>.Of(nameof(PretrainingOptions.Epochs)).Type,
            "First pretrain for so many epochs on the texts to learn from, as sbert pretrain does.", "--pretrain-epochs");
        var evaluationFile = new Option<FileInfo?>("--eval") { Description = "A labelled file to measure on." };
        Option<string?> device = DeviceOption.Create();
        var output = new Option<DirectoryInfo?>("--out", "-o") { Description = "The folder for the checkpoint." };
        Option<int?> checkpointEvery = TypedOption.Whole(
            "Steps between checkpoints to resume from after an interruption (every ten minutes).", 1, int.MaxValue, "--checkpoint-every");
        var noCheckpoints = new Option<bool>("--no-checkpoints") { Description = "Neither keep checkpoints nor resume from one." };
        var queue = new Option<bool>("--queue") { Description = "Send the request to the training queue instead." };

        var starts = new StartOptions();
        var training = new BoundOptions<TrainingOptions>(new TrainingOptions(), TrainingOptions.FromScratch);
        var requests = new BoundOptions<TrainingRequest>(
            new TrainingRequest { EvalFraction = TrainingRequest.DefaultEvalFraction },
            except: [nameof(TrainingRequest.Base), nameof(TrainingRequest.VocabularySize)]);
        Option[] evaluationFraction = requests.Of(nameof(TrainingRequest.EvalFraction));

        var command = new Command("train", "Fine-tune a model on labelled reviews.")
        {
            data, teachers, pretrainEpochs, evaluationFile, device, output, checkpointEvery, noCheckpoints, queue,
        };
        starts.AddTo(command);
        foreach (Option option in requests.All.Concat(training.All)) command.Add(option);
        command.IsRequiredWithout(data, queue);
        command.IsRequiredWithout(output, queue);
        command.HaveNoEffectWithout(queue, requests.Of(nameof(TrainingRequest.Tolerance), nameof(TrainingRequest.Significance)));
        command.CannotBeCombined(queue,
            [output, device, teachers, pretrainEpochs, checkpointEvery, noCheckpoints, .. starts.Local, .. training.Local],
            "it is for a training on this machine");
        command.CannotBeCombined(queue, [evaluationFile], "the job measures on what lies under evaluation/ in the container training-data");
        command.CannotBeCombined(evaluationFile, evaluationFraction, "the file is what is measured on");
        command.CannotBeCombined(noCheckpoints, [checkpointEvery]);
        command.HaveNoEffectWithout(teachers,
            training.Of(nameof(TrainingOptions.DistillationWeight), nameof(TrainingOptions.AugmentedViews)));
        command.SetAction(async (parsed, cancellationToken) =>
        {
            TrainingRequest request = requests.Over(new TrainingRequest(), parsed);
            if (parsed.GetValue(queue))
            {
                (string? from, int? vocabularySize) = starts.Requested(parsed);
                OptionValues<TrainingOptions> given = training.Given(parsed);
                request = request with { Base = from, VocabularySize = vocabularySize, Options = given, RequestedBy = "sbert" };
                if (TrainingRequestRules.FirstProblem(request, training.SpellingIn(parsed)) is { } problem)
                    throw new UsageException(problem);
                return await TrainingQueueing.SendAsync(request, parsed.GetValue(data)!, cancellationToken);
            }

            string folder = parsed.GetRequiredValue(output)!.FullName;
            if (parsed.GetValue(teachers)!.FirstOrDefault(teacher => !Directory.Exists(teacher)) is { } missing)
                throw new UsageException($"Folder not found: {missing}; --teacher names a checkpoint folder.");
            TrainingStart start = starts.Asked(parsed);
            TrainingOptions options = training.Over(start.DefaultOptions, parsed);
            Option[] measuring =
                training.Of(nameof(options.EarlyStoppingPatience), nameof(options.EvaluateEvery), nameof(options.MaxEvaluationRows));
            if (request.EvalFraction == 0 && measuring.FirstOrDefault(parsed.IsGiven) is { } unmeasured)
                throw new UsageException(
                    $"{unmeasured.Name} cannot be combined with --eval-fraction 0: no rows are held out to measure on.");
            PretrainingOptions? pretraining = parsed.GetValue(pretrainEpochs) is { } epochs
                ? start.DefaultPretraining with { Epochs = epochs, Seed = options.Seed, Precision = options.Precision }
                : null;
            start = await StartOptions.FetchedAsync(start, cancellationToken); // after all that may be refused
            NeedsLibTorch.Check();
            torch.Device computeOn = ComputeDevice.Named(parsed.GetValue(device) ?? DeviceOption.Default);

            var (train, sources) = await LocalReviews.LabelledAsync(parsed.GetValue(data)!, cancellationToken);
            StratifiedSplit split = parsed.GetValue(evaluationFile) is { } file
                ? await MeasuredOnAsync(file, train, cancellationToken)
                : HeldOut(train, request.EvalFraction ?? TrainingRequest.DefaultEvalFraction, options.Seed);
            split = split.Limited(options);
            Announce(train, split);

            TrainingCheckpoints? checkpoints = parsed.GetValue(noCheckpoints) ? null
                : new TrainingCheckpoints(Path.Combine(folder, "checkpoints"))
                {
                    EverySteps = parsed.GetValue(checkpointEvery),
                    Every = parsed.GetValue(checkpointEvery) is null ? TimeSpan.FromMinutes(10) : null,
                    Remark = Terminal.Log,
                };
            var fineTuning =
                new TrainingRecipe(start, options, computeOn, sources) { Teachers = parsed.GetValue(teachers)!, Pretraining = pretraining };
            TrainingRecord record = TrainingDisplay.Run(Terminal.Errors, Terminal.IsWatched,
                progress => fineTuning.Run(split, folder, progress, Terminal.Log, cancellationToken, checkpoints));

            ShowEnd(record.Result, folder, checkpoints);
            return record.Result.IsCancelled ? ExitCode.Failed : ExitCode.Done;
        });
        return command;
    }

    private static async Task<StratifiedSplit> MeasuredOnAsync(FileInfo file, LabelledReviews train, CancellationToken cancellationToken)
    {
        var (evaluation, _) = await LocalReviews.LabelledAsync([file], cancellationToken);
        if (evaluation.Rows.Count == 0)
            throw new TrainingException($"{file.Name} has no labelled review to measure on; give it stars 1-5 or labels 0-4.");
        StratifiedSplit split = StratifiedSplit.Given(train.Rows, evaluation.Rows);
        if (split.Train.Count < train.Rows.Count)
            Terminal.Log($"left out: {train.Rows.Count - split.Train.Count:N0} rows to learn from whose text is measured on in "
                + $"{file.Name} too");
        return split;
    }

    private static StratifiedSplit HeldOut(LabelledReviews train, double fraction, int seed)
    {
        StratifiedSplit split = StratifiedSplit.Of(train.Rows, fraction, seed);
        if (split.Evaluation.Count == 0 && fraction > 0 && train.Rows.Count > 0)
            throw new TrainingException(
                FormattableString.Invariant($"Of {train.Rows.Count} labelled reviews none is held out by the fraction {fraction}; ")
                + "give --eval FILE, more reviews, or --eval-fraction 0 to train without measuring.");
        return split;
    }

    private static void ShowEnd(TrainingResult result, string folder, TrainingCheckpoints? checkpoints)
    {
        if (result.Evaluation is { } metrics) EvaluationTable.Show(Terminal.Errors, metrics);
        if (result.Calibration is { } calibration)
            Terminal.Log($"calibration error {calibration.ErrorBefore:0.000} before and {calibration.ErrorAfter:0.000} after "
                + $"dividing by the temperature {calibration.Temperature:0.00}, which predictions take from {Calibration.FileName}");
        string ended = result.End switch
        {
            TrainingEnd.Completed => "trained",
            TrainingEnd.EarlyStopping => "stopped early, since accuracy rose no more,",
            TrainingEnd.TimeLimit => "stopped at the limit of hours",
            _ => "stopped",
        };
        Terminal.Log($"{ended} after {result.Steps:N0} steps in {result.Seconds:N0} s ({result.ReviewsPerSecond:N1} reviews/s, "
            + $"{result.TokensPerSecond:N0} tokens/s, {result.PaddingShare:0.0 %} padding); the model of step {result.KeptStep:N0} "
                + $"is in {folder}");
        Terminal.Log($"report: {Path.Combine(folder, TrainingReport.FileName)}; every logged step: "
            + $"{Path.Combine(folder, TrainingLog.FileName)}; curves: tensorboard --logdir "
                + $"{Path.Combine(folder, TrainingLog.TensorBoardFolderName)}");
        if (result.IsCancelled && checkpoints is not null) Terminal.Log("the same command goes on from there");
    }

    private static void Announce(LabelledReviews reviews, StratifiedSplit split) => Terminal.Log(
        $"{reviews.Rows.Count:N0} labelled reviews "
            + $"({string.Join(", ", reviews.Histogram().Select((count, label) => $"{label + 1}★ {count:N0}$"))}); "
                + $"{split.Train.Count:N0} to learn from, {split.Evaluation.Count:N0} held out");
}

/// <summary><c>sbert train --queue</c>: uploads labelled files and sends the request to the training job.</summary>
internal static class TrainingQueueing
{
    /// <summary>Sends a request over the uploaded files, or over all of training-data/ where none are given.</summary>
    public static async Task<int> SendAsync(TrainingRequest request, IReadOnlyList<FileInfo> files, CancellationToken cancellationToken)
    {
        if (files.FirstOrDefault(file => !file.Exists) is { } absent) throw new UsageException($"{absent.FullName} is not there.");
        PipelineStorage storage = await Storage.OpenAsync(cancellationToken);
        foreach (FileInfo file in files)
        {
            BlobClient blob = storage.Container(StorageNames.TrainingData).GetBlobClient(file.Name);
            await blob.UploadAsync(file.FullName, overwrite: true, cancellationToken);
            Terminal.Log($"uploaded {file.Name} to {StorageNames.TrainingData}/");
        }
        if (files.Count > 0) request = request with { Data = [.. files.Select(file => file.Name)] };
        await new TrainingRequests(storage).SendAsync(request, cancellationToken);
        Terminal.Log($"the request is in {StorageNames.TrainingRequests}; a running `sbert host` starts the training job, or run "
            + $"`sbert trainer`");
        return ExitCode.Done;
    }
}
