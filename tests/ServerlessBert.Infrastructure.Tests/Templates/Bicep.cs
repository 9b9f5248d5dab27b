using System.Text.Json;

namespace ServerlessBert.Infrastructure.Tests;

/// <summary>Bicep's own compiler, from its package.</summary>
internal static class Bicep
{
    private static readonly Lazy<Outcome> Built = new(() => Run("build", Repository.PathOf("infra", "main.bicep"), "--stdout"));

    /// <summary>infra/main.bicep, compiled once: standard output is the template, standard error the diagnostics.</summary>
    public static Outcome Main => Built.Value;

    /// <summary>The compiled template.</summary>
    public static Template Template { get; } = new(JsonDocument.Parse(Main.Output).RootElement);

    public static Outcome Run(params string[] arguments) => Repository.Run(Repository.Metadata("BicepProgram"), arguments);
}
