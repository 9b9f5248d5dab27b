using System.CommandLine;
using System.ComponentModel.DataAnnotations;
using ServerlessBert.Cli.Input;
using ServerlessBert.Cli.Options;
using ServerlessBert.Cli.Output;
using ServerlessBert.LocalHost;
using ServerlessBert.Modeling.Options;
using ServerlessBert.Pipeline.Models;
using ServerlessBert.Pipeline.Settings;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Trainer;

namespace ServerlessBert.Cli.Models;

/// <summary><c>sbert models</c>: the registry of published versions, and models from elsewhere.</summary>
internal static class ModelsCommand
{
    public static Command Create() => new(
        "models", "List, publish, promote, roll back and prune model versions; pull one from the Hugging Face hub, import or export ONNX.")
    {
        List(), Show(), PublishCommand.Create(), Promote(), Rollback(), ShadowCommand.Create(),
        PruneCommand.Create(), PruneCommand.CreateRetire(), PullCommand.Create(), ImportCommand.Create(), ExportCommand.Create(), Verify(),
    };

    private static Option<bool> JsonOption() => new("--json") { Description = "As JSON." };

    private static Argument<string> VersionArgument() => new("version") { Description = "A version, as `sbert models list` names it." };

    private static async Task<ModelRegistry> OpenAsync(CancellationToken cancellationToken) =>
        new(await Storage.OpenAsync(cancellationToken));

    private static Command List()
    {
        Option<bool> json = JsonOption();
        var command = new Command("list", "Every version, the newest first.") { json };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            IReadOnlyList<PublishedModel> models = await (await OpenAsync(cancellationToken)).ListAsync(cancellationToken);
            if (parsed.GetValue(json)) { Terminal.WriteJson(models); return ExitCode.Done; }
            if (models.Count == 0) Terminal.Log("no model is published; train one (sbert train), then: sbert models publish DIR --promote");
            foreach (PublishedModel model in models)
                Terminal.WriteLine(
                    $"{(model.IsLive ? "*" : " ")} {model.Version}  {model.Bytes / 1e6,8:N1} MB  {model.Published:u}{RoleOf(model)}");
            return ExitCode.Done;
        });
        return command;
    }

    private static string RoleOf(PublishedModel model) =>
        model.Role is not ModelRole.None ? $"  {model.Role.ToString().ToLowerInvariant()}" : model.IsComplete ? "" : "  incomplete";

    private static Command Show()
    {
        Argument<string> version = VersionArgument();
        var command = new Command(
            "show", "What is known of a version: whether it is live, previous or shadow, its parent, the gate's decision, metrics, "
                + "training settings, files (JSON).") { version };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            ModelRegistry registry = await OpenAsync(cancellationToken);
            string name = parsed.GetRequiredValue(version);
            ModelDescription description = await registry.ShowAsync(name, cancellationToken);
            Terminal.WriteJson(new
            {
                description.Manifest.Version,
                description.IsLive,
                Role = description.Role.ToString().ToLowerInvariant(),
                description.Parent,
                Gate = await registry.TryReadDocumentAsync(name, PromotionGate.FileName, cancellationToken),
                description.Metrics,
                description.Training,
                description.Manifest.Files,
            });
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
            ModelPointer pointer = await (await OpenAsync(cancellationToken))
                .PromoteAsync(parsed.GetRequiredValue(version), "promoted by hand", cancellationToken: cancellationToken);
            Terminal.Log($"{pointer.Version} is live");
            return ExitCode.Done;
        });
        return command;
    }

    private static Command Rollback()
    {
        var version = new Argument<string?>(
            "version")
        {
            Description = "Where to go back to (default: the version that was live before).",
            Arity = ArgumentArity.ZeroOrOne
        };
        var command = new Command("rollback", "Return to the version that was live before, or to a named one.") { version };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            ModelPointer pointer = await (await OpenAsync(cancellationToken))
                .RollbackAsync(parsed.GetValue(version), cancellationToken: cancellationToken);
            Terminal.Log($"{pointer.Version} is live");
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
            IReadOnlyList<string> faults = await (await OpenAsync(cancellationToken))
                .VerifyAsync(parsed.GetRequiredValue(version), cancellationToken);
            foreach (string fault in faults) Terminal.Fail(fault);
            if (faults.Count == 0) Terminal.Log($"{parsed.GetRequiredValue(version)} is whole");
            return faults.Count == 0 ? ExitCode.Done : ExitCode.Failed;
        });
        return command;
    }
}

/// <summary><c>sbert models shadow</c>: a version beside the live one, on a share of the batches, only to compare.</summary>
internal static class ShadowCommand
{
    private const double DefaultShare = 0.1;

    public static Command Create()
    {
        var version = new Argument<string?>(
            "version")
        { Description = "A version, as `sbert models list` names it.", Arity = ArgumentArity.ZeroOrOne };
        Option<double?> share = TypedOption.Create<double?>(
            new OptionType(typeof(double), new RangeAttribute(0.0, 1) { MinimumIsExclusive = true }, example: "0.1"),
            "The share of batches that it takes (0.1).", "--share");
        var off = new Option<bool>("--off") { Description = "Run none in shadow." };

        var command = new Command(
            "shadow", "Run a version beside the live one; each file's summary then compares the two.") { version, share, off };
        command.CannotBeCombined(off, [share]);
        command.Validators.Add(result =>
        {
            if (result.IsOn(off) == result.GetResult(version) is { Tokens.Count: > 0 }) result.AddError("Name a version, or say --off.");
        });
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var registry = new ModelRegistry(await Storage.OpenAsync(cancellationToken));
            if (parsed.GetValue(off))
            {
                await registry.ClearShadowAsync(cancellationToken);
                Terminal.Log("no version runs in shadow");
                return ExitCode.Done;
            }
            ModelShadow shadow =
                (await registry.SetShadowAsync(
                parsed.GetValue(version)!, parsed.GetValue(share) ?? DefaultShare, cancellationToken)).Shadow!;
            Terminal.Log($"{shadow.Version} runs in shadow on {shadow.Share:P0} of the batches of files that are dropped from now on");
            return ExitCode.Done;
        });
        return command;
    }
}

/// <summary><c>sbert models prune</c>: deletes old versions.</summary>
internal static class PruneCommand
{
    public static Command Create() => Create("prune");

    /// <summary>The verb's earlier name, which scripts may use.</summary>
    public static Command CreateRetire()
    {
        Command command = Create("retire");
        command.Hidden = true;
        return command;
    }

    private static Command Create(string name)
    {
        Option<int?> keep = TypedOption.Whole(
            $"How many of the newest versions to keep ({new ModelPruningOptions().Keep}); "
            + $"the live one, its parent, the one that a rollback returns to and the shadow always stay.",
            0, int.MaxValue, "--keep");
        var dryRun = new Option<bool>("--dry-run") { Description = "Only say what would be pruned." };
        var json = new Option<bool>("--json") { Description = "As JSON." };

        var command = new Command(
            name, "Delete old versions: their manifests go at once, their files a day later, at the next call.") { keep, dryRun, json };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            ModelPruningOptions configured = SettingsSection.Read<ModelPruningOptions>(HostSettings.Load(), ModelPruningOptions.Section);
            PipelineStorage storage = await Storage.OpenAsync(cancellationToken);
            bool isDryRun = parsed.GetValue(dryRun);
            IReadOnlyList<PruneDecision> decisions = await new ModelPruning(storage, new ModelRegistry(storage), TimeProvider.System)
                .PruneAsync(configured with { Keep = parsed.GetValue(keep) ?? configured.Keep }, isDryRun, cancellationToken);
            if (parsed.GetValue(json)) { Terminal.WriteJson(decisions); return ExitCode.Done; }
            foreach (PruneDecision decision in decisions)
            {
                string what = decision.IsPruned ? isDryRun ? "would prune" : "pruned" : "keeps";
                Terminal.WriteLine($"{what,-12}  {decision.Version}  {decision.Bytes / 1e6,8:N1} MB  {decision.Reason}");
            }
            return ExitCode.Done;
        });
        return command;
    }
}
