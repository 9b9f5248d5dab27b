using System.CommandLine;
using ServerlessBert.Pipeline.Models;
using Spectre.Console;

namespace ServerlessBert.Cli.Commands;

/// <summary><c>sbert models</c>: the registry of published versions, and models from elsewhere.</summary>
internal static class ModelsCommand
{
    public static Command Create() => new("models", "List, publish, promote, roll back and retire model versions; pull one from the Hugging Face hub, import or export ONNX.")
    {
        List(), Show(), PublishCommand.Create(), Promote(), Rollback(), ShadowCommand.Create(), RetireCommand.Create(), PullCommand.Create(), ImportCommand.Create(), ExportCommand.Create(), Verify(),
    };

    private static Option<bool> JsonOption() => new("--json") { Description = "As JSON." };

    private static Argument<string> VersionArgument() => new("version") { Description = "A version, as `sbert models list` names it." };

    private static async Task<ModelRegistry> OpenAsync(CancellationToken cancellationToken) => new(await Storage.OpenAsync(cancellationToken));

    private static Command List()
    {
        Option<bool> json = JsonOption();
        var command = new Command("list", "Every version, the newest first.") { json };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            IReadOnlyList<PublishedModel> models = await (await OpenAsync(cancellationToken)).ListAsync(cancellationToken);
            if (parsed.GetValue(json)) { Console.WriteLine(Json.Of(models)); return ExitCode.Done; }
            if (models.Count == 0) Terminal.Say("no model is published; train one (sbert train), then: sbert models publish DIR --promote");
            foreach (PublishedModel model in models)
                Console.WriteLine($"{(model.IsLive ? "*" : " ")} {model.Version}  {model.Bytes / 1e6,8:N1} MB  {model.Published:u}{Remark(model)}");
            return ExitCode.Done;
        });
        return command;
    }

    private static string Remark(PublishedModel model) =>
        model.Role is not ModelRole.None ? $"  {model.Role.ToString().ToLowerInvariant()}" : model.IsComplete ? "" : "  incomplete";

    private static Command Show()
    {
        Argument<string> version = VersionArgument();
        var command = new Command("show", "What is known of a version: whether it is live, previous or shadow, its parent, the gate's decision, metrics, training settings, files (JSON).") { version };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            ModelRegistry registry = await OpenAsync(cancellationToken);
            string name = parsed.GetRequiredValue(version);
            ModelDescription description = await registry.ShowAsync(name, cancellationToken);
            Console.WriteLine(Json.Of(new
            {
                description.Manifest.Version,
                description.IsLive,
                Role = description.Role.ToString().ToLowerInvariant(),
                description.Parent,
                Gate = await registry.TryReadDocumentAsync(name, Trainer.PromotionGate.FileName, cancellationToken),
                description.Metrics,
                description.Training,
                description.Manifest.Files,
            }));
            return ExitCode.Done;
        });
        return command;
    }

    private static Command Promote()
    {
        Argument<string> version = VersionArgument();
        var command = new Command("promote", "Make a version the live one.") { version };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            ModelPointer pointer = await (await OpenAsync(cancellationToken)).PromoteAsync(parsed.GetRequiredValue(version), "promoted by hand", cancellationToken: cancellationToken);
            Terminal.Say($"{pointer.Version} is live");
            return ExitCode.Done;
        });
        return command;
    }

    private static Command Rollback()
    {
        var version = new Argument<string?>("version") { Description = "Where to go back to (default: the version that was live before).", Arity = ArgumentArity.ZeroOrOne };
        var command = new Command("rollback", "Return to the version that was live before, or to a named one.") { version };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            ModelPointer pointer = await (await OpenAsync(cancellationToken)).RollbackAsync(parsed.GetValue(version), cancellationToken: cancellationToken);
            Terminal.Say($"{pointer.Version} is live");
            return ExitCode.Done;
        });
        return command;
    }

    private static Command Verify()
    {
        Argument<string> version = VersionArgument();
        var command = new Command("verify", "Download a version's files and check their hashes.") { version };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            IReadOnlyList<string> faults = await (await OpenAsync(cancellationToken)).VerifyAsync(parsed.GetRequiredValue(version), cancellationToken);
            foreach (string fault in faults) Console.Error.WriteLine($"sbert: {fault}");
            if (faults.Count == 0) Terminal.Say($"{parsed.GetRequiredValue(version)} is whole");
            return faults.Count == 0 ? ExitCode.Done : ExitCode.Failed;
        });
        return command;
    }
}
