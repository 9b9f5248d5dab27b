using Azure;
using ServerlessBert.Pipeline.Training;

namespace ServerlessBert.Trainer;

/// <summary>
/// Copies each checkpoint folder to storage while training goes on, one at a time: the next waits until the one before
/// is there, so that no folder is deleted under a copy.
/// </summary>
/// <param name="store">Where to.</param>
/// <param name="document">Told of each checkpoint that is whole in storage.</param>
/// <param name="say">Told of copies that failed.</param>
internal sealed class CheckpointUploads(TrainingStateStore store, TrainingDocument document, Action<string> say)
{
    private Task uploading = Task.CompletedTask;

    /// <summary>A folder is whole; returns when its copying has begun.</summary>
    public void Saved(string folder)
    {
        uploading.Wait();
        uploading = Task.Run(() => UploadAsync(folder));
    }

    /// <summary>Waits for the copy that is under way.</summary>
    public Task FinishAsync() => uploading;

    private async Task UploadAsync(string folder)
    {
        try
        {
            int step = await store.SaveCheckpointAsync(document.Run.Id, folder);
            await document.ChangeAsync(run => run.WithCheckpoint(step));
            say($"checkpoint of step {step} is in storage");
        }
        catch (Exception exception) when (exception is RequestFailedException or AggregateException)
        {
            // Storage may be away for a moment; the training itself can do without, and there is a next checkpoint.
            say($"{Path.GetFileName(folder)} could not be copied to storage: {exception.Message.Split('\n')[0]}");
        }
        catch (IOException)
        {
            // The training came to its end meanwhile and deleted its checkpoints: this one is not needed any more.
        }
        catch (TrainingLostException)
        {
            // The document's own token tells the job.
        }
    }
}
