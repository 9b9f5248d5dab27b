using System.CommandLine;
using Microsoft.Extensions.Configuration;
using ServerlessBert.Cli.Hosting;
using ServerlessBert.Pipeline.Models;
using ServerlessBert.Pipeline.Storage;

namespace ServerlessBert.Cli.Commands;

/// <summary><c>sbert models retire</c>: gives old versions up.</summary>
internal static class RetireCommand
{
    public static Command Create()
    {
        var keep = new Option<int?>("--keep") { Description = $"How many of the newest versions to keep (default {new ModelRetirementOptions().Keep}); the live one, its parent, the one that a rollback returns to and the shadow always stay." };
        var dryRun = new Option<bool>("--dry-run") { Description = "Only say what would be retired." };
        var json = new Option<bool>("--json") { Description = "As JSON." };
        keep.Validators.Add(result => { if (result.GetValueOrDefault<int?>() is < 0) result.AddError("--keep must be 0 or more."); });

        var command = new Command("retire", "Give old versions up: their manifests go at once, their files a day later, at the next call.") { keep, dryRun, json };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            ModelRetirementOptions configured = HostSettings.Load().GetSection(ModelRetirementOptions.Section).Get<ModelRetirementOptions>() ?? new();
            PipelineStorage storage = await Storage.OpenAsync(cancellationToken);
            bool isDryRun = parsed.GetValue(dryRun);
            IReadOnlyList<ModelFate> fates = await new ModelRetirement(storage, new ModelRegistry(storage), TimeProvider.System)
                .RetireAsync(configured with { Keep = parsed.GetValue(keep) ?? configured.Keep }, isDryRun, cancellationToken);
            if (parsed.GetValue(json)) { Console.WriteLine(Json.Of(fates)); return ExitCode.Done; }
            foreach (ModelFate fate in fates)
                Console.WriteLine($"{(fate.IsRetired ? isDryRun ? "would retire" : "retired" : "keeps"),-12}  {fate.Version}  {fate.Bytes / 1e6,8:N1} MB  {fate.Reason}");
            return ExitCode.Done;
        });
        return command;
    }
}
