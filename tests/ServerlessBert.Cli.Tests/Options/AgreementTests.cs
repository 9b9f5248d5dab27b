using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using CsCheck;
using ServerlessBert.Cli.Input;
using ServerlessBert.Cli.Options;
using ServerlessBert.Modeling.Options;
using ServerlessBert.Modeling.Training;
using ServerlessBert.Pipeline.Retraining;
using ServerlessBert.Pipeline.Storage;

namespace ServerlessBert.Cli.Tests.Options;

/// <summary>What the command line takes a training request takes, to the same options, and what one refuses the other refuses.</summary>
public class AgreementTests
{
    private static readonly BoundOptions<TrainingOptions> Bound = new(new TrainingOptions());
    private static readonly Command Line = CommandOf(Bound);

    public static TheoryData<string> Queued =>
        [.. OptionSet<TrainingOptions>.All.Where(option => !option.IsLocal).Select(option => option.Property)];

    [Theory, MemberData(nameof(Queued))]
    public void Command_line_and_request_agree_on_every_value(string property)
    {
        OptionDescriptor option = OptionSet<TrainingOptions>.Of(property);
        ValuesOf(option).Sample(
            value => Assert.Equal(ByRequest($"{{\"{option.JsonName}\":{JsonOf(option, value)}}}"),
                ByCommandLine([option.Name, Invariant(value)])),
            iter: 200, threads: 1);
    }

    [Fact]
    public void Command_line_and_request_agree_on_pairs_of_options()
    {
        OptionDescriptor[] options =
            [.. OptionSet<TrainingOptions>.All.Where(option => !option.IsLocal && !option.Type.IsSwitch && option.OrWord is null)];
        Gen.OneOf(options).Select(Gen.OneOf(options)).Where((first, second) => first != second)
            .SelectMany((first, second) => ValuesOf(first).Select(ValuesOf(second), (one, other) => (first, one, second, other)))
            .Sample(pair => Assert.Equal(
                ByRequest($"{{\"{pair.first.JsonName}\":{JsonOf(pair.first, pair.one)},\"{pair.second.JsonName}\":{JsonOf(pair.second, pair.other)}}}"),
                ByCommandLine([pair.first.Name, Invariant(pair.one), pair.second.Name, Invariant(pair.other)])), iter: 2000, threads: 1);
    }

    [Fact]
    public void A_switch_says_what_its_field_says()
    {
        Assert.All(OptionSet<TrainingOptions>.All.Where(option => option.Type.IsSwitch), option =>
        {
            string? named = ByCommandLine([option.Name]);
            Assert.NotNull(named);
            Assert.Equal(ByRequest($"{{\"{option.JsonName}\":{(option.SwitchValue ? "true" : "false")}}}"), named);
            Assert.Equal(ByRequest("{}"), ByCommandLine([option.Name, "false"]));
        });
        Assert.Equal(ByRequest("""{"balancedClasses":true}"""), ByCommandLine(["--class-weights", "balanced"]));
    }

    [Fact]
    public void A_former_name_means_what_the_name_means()
    {
        Assert.All(OptionSet<TrainingOptions>.All.Where(option => option is { FormerName: not null, Type.IsSwitch: false }), option =>
        {
            string value = option.Type.Words.LastOrDefault() ?? (option.Type.Type == typeof(int) ? "1" : "0.5");
            Assert.NotNull(ByCommandLine([option.Name, value]));
            Assert.Equal(ByCommandLine([option.Name, value]), ByCommandLine([option.FormerName!, value]));
            Assert.Throws<UsageException>(() => ByCommandLine([option.Name, value, option.FormerName!, value]));
        });
        Assert.Equal(ByCommandLine(["--no-load-best"]), ByCommandLine(["--keep-last"]));
        Assert.Equal(ByCommandLine(["--precision", "bf16-mixed"]), ByCommandLine(["--dtype", "bfloat16"]));
    }

    // In its range, about its bounds, and beyond; and what is no value of its type.
    private static Gen<object> ValuesOf(OptionDescriptor option)
    {
        Gen<object> noise = Gen.OneOf<object>("abc", "", "0,5", "NaN", "99999999999", "1e400", "-", "adamw", "true", "1,2,3");
        Gen<object> edges = Gen.OneOf<object>(-1, 0, 1, 2, 3, 4096, 4097, 8192, 8193, 1e-12, 0.5, 0.999, 1.0, 1.5,
            9.99, 10.0, 10.1, -0.5, 1000.5, int.MaxValue);
        Gen<object> numbers = Gen.Double[-2, 12].Select(number => (object)Math.Round(number, 3));
        Gen<object> words = Gen.OneOf<object>(
            [.. option.Type.Words.Append("other"), .. option.Type.Words.Select(word => word.ToUpperInvariant())]);
        return option.Type.IsSwitch ? Gen.OneOf<object>("abc", "1") : Gen.OneOf(noise, edges, numbers, words);
    }

    private static string Invariant(object value) => Convert.ToString(value, CultureInfo.InvariantCulture)!;

    // Numbers as numbers, what is no number in quotes.
    private static string JsonOf(OptionDescriptor option, object value) =>
        option.Type.Type == typeof(IReadOnlyList<double>) ? $"[{JsonSerializer.Serialize(value)}]" : JsonSerializer.Serialize(value);

    private static string? ByRequest(string body)
    {
        try
        {
            TrainingOptions options = TrainingRequest.Parse(new BinaryData(body)).Options.Over(new TrainingOptions());
            return JsonSerializer.Serialize(options, PipelineJson.Options);
        }
        catch (MessageFormatException exception)
        {
            Assert.StartsWith("A training request's ", exception.Message);
            return null;
        }
    }

    private static string? ByCommandLine(string[] arguments)
    {
        ParseResult parsed = Line.Parse(arguments);
        if (parsed.Errors.Count > 0) return null;
        try
        {
            return JsonSerializer.Serialize(Bound.Over(new TrainingOptions(), parsed), PipelineJson.Options);
        }
        catch (UsageException exception) when (!exception.Message.Contains("two names", StringComparison.Ordinal))
        {
            return null;
        }
    }

    private static Command CommandOf(BoundOptions<TrainingOptions> options)
    {
        var command = new RootCommand();
        foreach (Option option in options.All) command.Add(option);
        return command;
    }
}
