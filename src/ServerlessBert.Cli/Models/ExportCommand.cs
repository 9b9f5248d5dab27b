using System.CommandLine;
using ServerlessBert.Cli.Input;
using ServerlessBert.Cli.Output;
using ServerlessBert.Modeling.Onnx;

namespace ServerlessBert.Cli.Models;

/// <summary><c>sbert models export</c>: a checkpoint folder becomes an ONNX file, for ONNX Runtime and ML.NET.</summary>
internal static class ExportCommand
{
    public static Command Create()
    {
        var folder = new Argument<DirectoryInfo>("folder") { Description = "A checkpoint folder." };
        var onnx = new Option<bool>("--onnx")
        {
            Description = "As ONNX: standard operators (opset 17), float32, any batch and sequence.",
            Required = true,
        };
        var output = new Option<DirectoryInfo>("--out", "-o")
        {
            Description = "The folder for model.onnx, config.json and the tokenizer's files.",
            Required = true,
        };
        var command = new Command("export", "Write a checkpoint folder in another format.") { folder, onnx, output };
        command.SetAction(parsed =>
        {
            string from = parsed.GetRequiredValue(folder).FullName, to = parsed.GetRequiredValue(output).FullName;
            if (!parsed.GetValue(onnx)) throw new UsageException("--onnx is the only format; leave out its value.");
            if (!Directory.Exists(from))
                throw new UsageException($"Folder not found: {from}; give a checkpoint folder, as sbert train makes one.");
            if (File.Exists(to)) throw new UsageException($"--out {to} is a file; give a folder.");
            if (Path.TrimEndingDirectorySeparator(from) == Path.TrimEndingDirectorySeparator(to))
                throw new UsageException("--out must be another folder than the checkpoint's; its config.json would be rewritten.");
            NeedsLibTorch.Check();
            Terminal.WriteLine(OnnxExport.Write(from, to));
            return ExitCode.Done;
        });
        return command;
    }
}
