using ServerlessBert.Modeling;

namespace ServerlessBert.Cli.Input;

/// <summary>For verbs that compute.</summary>
internal static class NeedsLibTorch
{
    /// <summary>Ends the verb with one sentence where libtorch does not load.</summary>
    public static void Check()
    {
        if (!LibTorch.TryLoad(out string? reason)) throw new InvalidDataException(reason);
    }
}
