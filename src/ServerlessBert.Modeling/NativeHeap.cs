using System.Runtime.InteropServices;

namespace ServerlessBert.Modeling;

/// <summary>The C library's heap, where libtorch's tensors lie.</summary>
internal static class NativeHeap
{
    /// <summary>
    /// Gives what was freed back to the system. glibc keeps it, in an arena for each thread that ever allocated: a
    /// host that swaps models, each loaded on another thread, was measured to grow by a model's size a swap.
    /// </summary>
    public static void Trim()
    {
        if (!OperatingSystem.IsLinux()) return;
        try
        {
            _ = TrimArenas(0);
        }
        catch (EntryPointNotFoundException)
        {
            // Another C library, such as musl: there is nothing of the kind to call.
        }
    }

    [DllImport("libc", EntryPoint = "malloc_trim")]
    private static extern int TrimArenas(nuint keep);
}
