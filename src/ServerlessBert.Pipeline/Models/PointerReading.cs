namespace ServerlessBert.Pipeline.Models;

/// <summary>What a look at current.json found.</summary>
internal sealed record PointerReading
{
    /// <summary>The pointer; null where there is none, it cannot be read, or it is unchanged.</summary>
    public ModelPointer? Pointer { get; init; }

    /// <summary>The ETag of what is there, readable or not; null where nothing is.</summary>
    public string? ETag { get; init; }

    /// <summary>Whether it is as it was when the known ETag was read.</summary>
    public bool IsUnchanged { get; init; }

    /// <summary>Why it cannot be read.</summary>
    public ModelUnavailableException? Fault { get; init; }

    /// <summary>The pointer, or null where there is none.</summary>
    /// <exception cref="ModelUnavailableException">It cannot be read.</exception>
    public ModelPointer? Whole => Fault is null ? Pointer : throw Fault;

    /// <summary>Nothing new.</summary>
    public static PointerReading Unchanged(string? etag) => new() { ETag = etag, IsUnchanged = true };
}
