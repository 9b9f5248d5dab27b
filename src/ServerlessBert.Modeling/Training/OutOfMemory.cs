namespace ServerlessBert.Modeling;

/// <summary>Tells libtorch's want of memory from its other errors, which all come as one type.</summary>
internal static class OutOfMemory
{
    // The allocators' own words: c10/core/impl/alloc_cpu.cpp and c10/cuda/CUDACachingAllocator.cpp.
    private static readonly string[] Words = ["not enough memory", "can't allocate memory", "out of memory"];

    /// <summary>Whether memory did not suffice.</summary>
    public static bool IsCauseOf(Exception exception) => exception is OutOfMemoryException
        || exception is System.Runtime.InteropServices.ExternalException && Words.Any(words => exception.Message.Contains(words, StringComparison.OrdinalIgnoreCase));
}
