using System.CommandLine;
using ServerlessBert.Cli.HuggingFace;
using ServerlessBert.Cli.Input;
using ServerlessBert.Cli.Output;

namespace ServerlessBert.Cli.Models;

/// <summary><c>sbert models pull</c>: a model of the Hugging Face hub becomes a checkpoint folder.</summary>
internal static class PullCommand
{
    public static Command Create()
    {
        var name = new Argument<string>(
            "name")
        { Description = "The model's name on the hub: owner/name; or what sbert models import takes." };
        var revision = new Option<string>("--revision") { Description = "A branch, tag or commit.", DefaultValueFactory = _ => "main" };
        var output = new Option<DirectoryInfo?>("--out")
        {
            Description = "The checkpoint folder (default: the last part of the name, here).",
        };
        var overwrite = new Option<bool>("--overwrite") { Description = "Replace other weights that the folder holds." };
        var json = new Option<bool>("--json") { Description = "As JSON." };
        const string does = "Fetch a BERT or DistilBERT of the Hugging Face hub (HF_ENDPOINT, HF_TOKEN) into a checkpoint folder.";
        var command = new Command("pull", does) { name, revision, output, overwrite, json };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            string asked = parsed.GetRequiredValue(name);
            if (ImportSource.IsSource(asked))
            {
                string target = parsed.GetValue(output)?.FullName ?? throw new UsageException("--out names the checkpoint folder.");
                return await ImportCommand.RunAsync(asked, target, parsed.GetValue(overwrite), parsed.GetValue(json), cancellationToken);
            }
            ModelName model = ModelName.Parse(asked);
            string revisionName = parsed.GetRequiredValue(revision);
            if (revisionName is "" or "." or "..") throw new UsageException($"--revision '{revisionName}' is not a branch, tag or commit.");
            string folder = parsed.GetValue(output)?.FullName ?? Path.GetFullPath(model.Name);
            if (File.Exists(folder)) throw new UsageException($"--out {folder} is a file; give a folder.");

            using var hub = new HubClient(HubOptions.FromEnvironment(Environment.GetEnvironmentVariable), PullProgress.Log);
            ModelPull pull = await ModelPull.PrepareAsync(hub, model, revisionName, folder, parsed.GetValue(overwrite), cancellationToken);
            PulledModel pulled = await PullProgress.FetchAsync(pull, cancellationToken);
            if (pull.Missing.Count == 0) Terminal.Log($"nothing to fetch: {model} is here already");
            if (parsed.GetValue(json)) Terminal.WriteJson(pulled);
            else Terminal.WriteLine(pulled.Folder);
            return ExitCode.Done;
        });
        return command;
    }
}
