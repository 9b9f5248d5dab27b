using System.ComponentModel.DataAnnotations;

namespace ServerlessBert.Modeling.Inference;

/// <summary>How a classifier runs.</summary>
public sealed record InferenceOptions
{
    /// <summary>The number type of weights and activations.</summary>
    public InferenceDtype Dtype { get; init; } = InferenceDtype.Auto;

    /// <summary>Longest input in tokens, special tokens included; null takes the model's own maximum.</summary>
    [Range(3, 8192)]
    public int? MaxLength { get; init; }

    /// <summary>Tokens in one pass: large enough to fill the cores, small enough for activations to stay in cache.</summary>
    [Range(1, 1 << 20)]
    public int TokenBudget { get; init; } = 1024;

    /// <summary>Threads of one pass; null takes every core.</summary>
    [Range(1, 1024)]
    public int? Threads { get; init; }

    /// <summary>Whether the plain module tree computes, as it does where oneDNN's packed operations are missing: to compare with.</summary>
    public bool PlainForward { get; init; }
}

/// <summary>The number type of inference.</summary>
public enum InferenceDtype
{
    /// <summary>What a measurement at start finds fastest on this processor.</summary>
    Auto,

    /// <summary>32-bit floats.</summary>
    Float32,

    /// <summary>bfloat16: half the memory; fast where the processor has instructions for it.</summary>
    BFloat16,

    /// <summary>
    /// Products of 8-bit integers, float32 between them: a quarter of the encoder's memory; fast where the processor has
    /// AVX512-VNNI or AMX.
    /// </summary>
    Int8,
}
