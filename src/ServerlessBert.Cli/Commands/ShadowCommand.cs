using System.CommandLine;
using ServerlessBert.Pipeline.Models;

namespace ServerlessBert.Cli.Commands;

/// <summary><c>sbert models shadow</c>: a version beside the live one, on a share of the batches, only to compare.</summary>
internal static class ShadowCommand
{
    public static Command Create()
    {
        var version = new Argument<string?>("version") { Description = "A version, as `sbert models list` names it.", Arity = ArgumentArity.ZeroOrOne };
        var share = new Option<double>("--share") { Description = "The share of batches that it takes.", DefaultValueFactory = _ => 0.1 };
        var off = new Option<bool>("--off") { Description = "Run none in shadow." };
        share.Validators.Add(result => { if (result.GetValueOrDefault<double>() is not (> 0 and <= 1)) result.AddError("--share must be above 0 and at most 1."); });

        var command = new Command("shadow", "Run a version beside the live one; each file's summary then compares the two.") { version, share, off };
        command.Validators.Add(result =>
        {
            if (result.GetValue(off) == result.GetValue(version) is not null) result.AddError("Name a version, or say --off.");
        });
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var registry = new ModelRegistry(await Storage.OpenAsync(cancellationToken));
            if (parsed.GetValue(off))
            {
                await registry.ClearShadowAsync(cancellationToken);
                Terminal.Say("no version runs in shadow");
                return ExitCode.Done;
            }
            ModelShadow shadow = (await registry.SetShadowAsync(parsed.GetValue(version)!, parsed.GetValue(share), cancellationToken)).Shadow!;
            Terminal.Say($"{shadow.Version} runs in shadow on {shadow.Share:P0} of the batches of files that are dropped from now on");
            return ExitCode.Done;
        });
        return command;
    }
}
