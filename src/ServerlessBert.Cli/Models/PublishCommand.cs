using System.CommandLine;
using ServerlessBert.Cli.Input;
using ServerlessBert.Cli.Options;
using ServerlessBert.Cli.Output;
using ServerlessBert.Modeling.Checkpoints;
using ServerlessBert.Modeling.Options;
using ServerlessBert.Pipeline.Models;
using TorchSharp;

namespace ServerlessBert.Cli.Models;

/// <summary><c>sbert models publish</c>: a checkpoint folder becomes a version.</summary>
internal static class PublishCommand
{
    public static Command Create()
    {
        var folder = new Argument<DirectoryInfo>("folder") { Description = "A checkpoint folder." };
        var promote = new Option<bool>("--promote") { Description = "Make it the live model at once." };
        Option<string?> dtype = TypedOption.Create<string>(new OptionType(typeof(string), words: ["float32", "bfloat16"]),
            "Store the weights in this dtype (as they are); bfloat16 halves the download of every host that starts.", "--dtype");
        var command = new Command("publish", "Publish a checkpoint folder as a new version.") { folder, promote, dtype };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            string path = InputFile.RequireFolder(
                parsed.GetRequiredValue(folder), "publish a checkpoint folder, as sbert train or sbert models pull makes one").FullName;
            NeedsLibTorch.Check();
            // What no host could load is refused here, before it is published.
            using (Checkpoint checkpoint = Checkpoint.Load(path))
            {
                foreach (string note in checkpoint.Notes) Terminal.Log(note);
            }
            var registry = new ModelRegistry(await Storage.OpenAsync(cancellationToken));
            ModelManifest manifest = parsed.GetValue(dtype) is { } stored
                ? await PublishConvertedAsync(registry, path, stored, cancellationToken)
                : await registry.PublishAsync(path, cancellationToken: cancellationToken);
            if (parsed.GetValue(promote))
                await registry.PromoteAsync(manifest.Version, "published and promoted by hand", cancellationToken: cancellationToken);
            Terminal.Log(parsed.GetValue(promote) ? "published and live:"
                : $"published; to make it live: sbert models promote {manifest.Version}");
            Terminal.WriteLine(manifest.Version);
            return ExitCode.Done;
        });
        return command;
    }

    // The user's folder stays as it is.
    private static async Task<ModelManifest> PublishConvertedAsync(
        ModelRegistry registry, string path, string dtype, CancellationToken cancellationToken)
    {
        string copy = Directory.CreateTempSubdirectory("sbert-publish-").FullName;
        try
        {
            foreach (string file in Directory.EnumerateFiles(path)) File.Copy(file, Path.Combine(copy, Path.GetFileName(file)));
            WeightConversion.Store(copy, dtype == "bfloat16" ? torch.bfloat16 : torch.float32);
            return await registry.PublishAsync(copy, cancellationToken: cancellationToken);
        }
        finally
        {
            Directory.Delete(copy, recursive: true);
        }
    }
}
