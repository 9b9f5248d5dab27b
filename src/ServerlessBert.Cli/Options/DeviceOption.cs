using System.CommandLine;
using ServerlessBert.Modeling.Options;

namespace ServerlessBert.Cli.Options;

/// <summary>Where a verb that trains computes.</summary>
internal static class DeviceOption
{
    /// <summary>Without it.</summary>
    public const string Default = "auto";

    public static Option<string?> Create() =>
        TypedOption.Create<string>(new OptionType(typeof(string), words: [Default, "cpu", "cuda"]),
            $"Where to compute ({Default}).", "--device");
}
