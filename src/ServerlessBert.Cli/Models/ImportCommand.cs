using System.CommandLine;
using ServerlessBert.Cli.HuggingFace;
using ServerlessBert.Cli.Input;
using ServerlessBert.Cli.Output;

namespace ServerlessBert.Cli.Models;

/// <summary><c>sbert models import</c>: a BERT in an ONNX file becomes a checkpoint folder.</summary>
internal static class ImportCommand
{
    public static Command Create()
    {
        var source = new Argument<string>("source")
        {
            Description = $"{char.ToUpperInvariant(ImportSource.Forms[0])}{ImportSource.Forms[1..]}.",
        };
        var output = new Option<DirectoryInfo>("--out", "-o") { Description = "The checkpoint folder.", Required = true };
        var overwrite = new Option<bool>("--overwrite") { Description = "Replace a checkpoint that the folder holds." };
        var json = new Option<bool>("--json") { Description = "As JSON." };
        var command = new Command("import", "Make a checkpoint folder of a BERT or DistilBERT that was exported to ONNX.")
        {
            source, output, overwrite, json,
        };
        command.SetAction((parsed, cancellationToken) =>
            RunAsync(
                parsed.GetRequiredValue(source), parsed.GetRequiredValue(output).FullName,
                parsed.GetValue(overwrite), parsed.GetValue(json), cancellationToken));
        return command;
    }

    /// <summary>Imports a source and prints the folder.</summary>
    public static async Task<int> RunAsync(string source, string folder, bool overwrite, bool json, CancellationToken cancellationToken)
    {
        if (File.Exists(folder)) throw new UsageException($"--out {folder} is a file; give a folder.");
        NeedsLibTorch.Check();
        DirectoryInfo scratch = Directory.CreateTempSubdirectory("sbert-import-");
        try
        {
            ImportSource opened = await ImportSource.OpenAsync(source, scratch.FullName, Terminal.Log, cancellationToken);
            OnnxCheckpoint checkpoint = OnnxCheckpoint.Import(opened, folder, overwrite);
            foreach (string note in checkpoint.Notes) Terminal.Log(note);
            string next = checkpoint.IsClassifier ? $"classify with it: sbert classify FILE --model {folder}"
                : $"fine-tune it: sbert train --base {folder}";
            Terminal.Log($"{Described(checkpoint)}; {next}");
            if (json) Terminal.WriteJson(Summary(source, checkpoint));
            else Terminal.WriteLine(folder);
            return ExitCode.Done;
        }
        finally
        {
            scratch.Delete(recursive: true);
        }
    }

    private static string Described(OnnxCheckpoint checkpoint) =>
        $"{(checkpoint.IsClassifier ? $"a classifier of {checkpoint.Config.NumLabels} labels" : "an encoder")}: "
            + $"{checkpoint.Config.NumHiddenLayers} layers, hidden {checkpoint.Config.HiddenSize}, {checkpoint.Config.NumAttentionHeads} "
            + $"heads, vocabulary {checkpoint.Config.VocabSize:N0}";

    private static object Summary(string source, OnnxCheckpoint checkpoint) => new
    {
        Source = source,
        checkpoint.Folder,
        checkpoint.IsClassifier,
        checkpoint.Config.ModelType,
        Layers = checkpoint.Config.NumHiddenLayers,
        checkpoint.Config.HiddenSize,
        Heads = checkpoint.Config.NumAttentionHeads,
        checkpoint.Config.VocabSize,
        checkpoint.Notes,
    };
}
