using Azure.Storage.Blobs;
using ServerlessBert.Pipeline.Messages;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Pipeline.Training;

namespace ServerlessBert.Cli;

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
