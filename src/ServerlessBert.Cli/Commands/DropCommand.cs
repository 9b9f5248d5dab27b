using System.CommandLine;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using ServerlessBert.Cli.Input;
using ServerlessBert.Cli.Options;
using ServerlessBert.Cli.Output;
using ServerlessBert.Pipeline.Batches;
using ServerlessBert.Pipeline.Models;
using ServerlessBert.Pipeline.Runs;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Reviews.Decoding;

namespace ServerlessBert.Cli.Commands;

/// <summary><c>sbert drop FILE…</c>: upload review files; with <c>--wait</c>, follow them and fetch the predictions.</summary>
internal static class DropCommand
{
    public static Command Create()
    {
        var files = new Argument<FileInfo[]>("files")
        {
            Description = "Reviews: .jsonl, .csv, .tsv or .txt, each also .gz, or .parquet.",
            Arity = ArgumentArity.OneOrMore,
        };
        var wait = new Option<bool>("--wait", "-w") { Description = "Follow the files until their predictions are there." };
        var output = new Option<DirectoryInfo?>("--out", "-o")
        {
            Description = "With --wait: the folder for predictions and summaries (default: where each file is).",
        };
        Option<int?> show = TypedOption.Whole("With --wait: show this many predictions of each file (0).", 0, int.MaxValue, "--show");
        var command = new Command("drop", "Upload review files for the functions to classify.") { files, wait, output, show };
        command.HaveNoEffectWithout(wait, output, show);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            FileInfo[] inputs = parsed.GetRequiredValue(files);
            Require(inputs);
            if (parsed.GetValue(output) is { } into && File.Exists(into.FullName))
                throw new UsageException($"--out {into} is a file; predictions and summaries go into a folder.");

            PipelineStorage storage = await Storage.OpenAsync(cancellationToken);
            if (await new ModelRegistry(storage).CurrentAsync(cancellationToken) is null)
                Terminal.Log("no model is live yet; the files are classified as soon as one is (sbert models publish DIR --promote)");

            var drops = new List<(FileInfo File, string ETag)>();
            foreach (FileInfo file in inputs) drops.Add((file, await UploadAsync(storage, file, cancellationToken)));
            if (!parsed.GetValue(wait)) return ExitCode.Done;

            bool allDone = true;
            foreach ((FileInfo file, string etag) in drops)
            {
                Run run = await RunFollower.FollowAsync(new RunStore(storage), file.Name, etag, cancellationToken);
                string folder = parsed.GetValue(output)?.FullName ?? file.DirectoryName!;
                allDone &= await FinishedDrop.ReportAsync(storage, run, file, folder, parsed.GetValue(show) ?? 0, cancellationToken);
            }
            return allDone ? ExitCode.Done : ExitCode.Failed;
        });
        return command;
    }

    // Everything that can be refused is refused before anything is uploaded.
    private static void Require(FileInfo[] files)
    {
        foreach (FileInfo file in files)
        {
            InputFile.Require(file);
            if (!BlobName.TryParse(file.Name, out _, out string? odd)) throw new UsageException(odd);
            if (!ReviewContent.TryGetFormat(file.Name, out _, out _, out string? reason))
                throw new UsageException($"{file.Name}: {reason}");
        }
        if (files.GroupBy(file => file.Name).FirstOrDefault(group => group.Count() > 1) is { } twice)
        {
            throw new UsageException($"{string.Join(" and ", twice)} are both called {twice.Key}, and the second would replace the first; "
                + "rename one, or drop them one after the other.");
        }
    }

    private static async Task<string> UploadAsync(PipelineStorage storage, FileInfo file, CancellationToken cancellationToken)
    {
        BlobClient blob = storage.Container(StorageNames.Reviews).GetBlobClient(file.Name);
        BlobContentInfo uploaded = await blob.UploadAsync(file.FullName, overwrite: true, cancellationToken);
        string etag = ETags.Unquote(uploaded.ETag.ToString());
        // What Event Grid does in Azure; where both do, the second message finds the run begun.
        BinaryData dropped = new ReviewFileMessage { Blob = BlobName.Parse(file.Name), ETag = etag }.ToBody();
        await storage.Queue(StorageNames.ReviewFiles).SendMessageAsync(dropped, cancellationToken: cancellationToken);
        Terminal.Log($"dropped {file.Name} ({Count.Of(file.Length, "byte")}) into {StorageNames.Reviews}/");
        return etag;
    }
}
