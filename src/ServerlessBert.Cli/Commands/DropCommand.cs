using System.CommandLine;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using ServerlessBert.Pipeline.Messages;
using ServerlessBert.Pipeline.Models;
using ServerlessBert.Pipeline.Reviews;
using ServerlessBert.Pipeline.Runs;
using ServerlessBert.Pipeline.Storage;

namespace ServerlessBert.Cli.Commands;

/// <summary><c>sbert drop FILE…</c>: upload review files; with <c>--wait</c>, follow them and fetch the predictions.</summary>
internal static class DropCommand
{
    public static Command Create()
    {
        var files = new Argument<FileInfo[]>("files") { Description = "Reviews: .jsonl, .csv, .tsv or .txt, each also .gz, or .parquet.", Arity = ArgumentArity.OneOrMore };
        var wait = new Option<bool>("--wait", "-w") { Description = "Follow the files until their predictions are there." };
        var output = new Option<DirectoryInfo?>("--out", "-o") { Description = "With --wait: the folder for predictions and summaries (default: where each file is)." };
        var show = new Option<int>("--show") { Description = "With --wait: show this many predictions of each file.", DefaultValueFactory = _ => 0 };
        var command = new Command("drop", "Upload review files for the functions to classify.") { files, wait, output, show };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            FileInfo[] inputs = parsed.GetRequiredValue(files);
            if (inputs.FirstOrDefault(file => !file.Exists) is { } absent) throw new UsageException($"{absent.FullName} is not there.");
            foreach (FileInfo file in inputs)
                if (!ReviewContent.TryGetFormat(file.Name, out _, out _, out string? reason)) throw new UsageException($"{file.Name}: {reason}");

            PipelineStorage storage = await Storage.OpenAsync(cancellationToken);
            if (await new ModelRegistry(storage).CurrentAsync(cancellationToken) is null)
                Terminal.Say("no model is live yet; the files are classified as soon as one is (sbert models publish DIR --promote)");

            var drops = new List<(FileInfo File, string ETag)>();
            foreach (FileInfo file in inputs) drops.Add((file, await UploadAsync(storage, file, cancellationToken)));
            if (!parsed.GetValue(wait)) return ExitCode.Done;

            bool allDone = true;
            foreach ((FileInfo file, string etag) in drops)
            {
                Run run = await RunFollower.FollowAsync(new RunStore(storage), file.Name, etag, cancellationToken);
                string folder = parsed.GetValue(output)?.FullName ?? file.DirectoryName!;
                allDone &= await FinishedDrop.ReportAsync(storage, run, file, folder, parsed.GetValue(show), cancellationToken);
            }
            return allDone ? ExitCode.Done : ExitCode.Failed;
        });
        return command;
    }

    private static async Task<string> UploadAsync(PipelineStorage storage, FileInfo file, CancellationToken cancellationToken)
    {
        BlobClient blob = storage.Container(StorageNames.Reviews).GetBlobClient(file.Name);
        BlobContentInfo uploaded = await blob.UploadAsync(file.FullName, overwrite: true, cancellationToken);
        string etag = ETags.Bare(uploaded.ETag.ToString());
        // What Event Grid does in Azure; where both do, the second message finds the run begun.
        await storage.Queue(StorageNames.ReviewFiles).SendMessageAsync(new ReviewFileMessage { Blob = file.Name, ETag = etag }.ToBody(), cancellationToken: cancellationToken);
        Terminal.Say($"dropped {file.Name} ({file.Length:N0} bytes) into {StorageNames.Reviews}/");
        return etag;
    }
}
