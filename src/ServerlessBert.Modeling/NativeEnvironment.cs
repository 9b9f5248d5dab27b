using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace ServerlessBert.Modeling;

/// <summary>
/// Settings that libtorch's native libraries read from the environment when they load, which is after this assembly's first
/// use. What the user has set stays.
/// </summary>
internal static class NativeEnvironment
{
    private static readonly (string Name, string Value)[] Variables =
    [
        // libgomp's threads spin for milliseconds at each barrier, waiting for one another. Where something else runs on the
        // cores too, the one that is waited for is often not running: training was measured 4 to 15 times slower. After some
        // microseconds they sleep instead.
        ("GOMP_SPINCOUNT", "10000"),
        // oneDNN and its layer in libtorch each keep the last 1,024 kernels that they compiled, and every number of tokens in
        // a forward pass asks for kernels of its own: 180 MB more after some hundred. A forward pass needs a dozen.
        ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "128"),
        ("LRU_CACHE_CAPACITY", "128"),
    ];

    // Large temporaries stay with the process instead of going back to the system after every operation, to be faulted in
    // page by page at the next. By mallopt, since the variables of these names are read when the process starts.
    private static readonly (string Name, int Parameter, int Value)[] HeapLimits =
    [
        ("MALLOC_MMAP_THRESHOLD_", -3, 32 << 20),
        ("MALLOC_TRIM_THRESHOLD_", -1, 256 << 20),
    ];

#pragma warning disable CA2255 // A library's initializer, since nothing else comes before libtorch's own loading for sure.
    [ModuleInitializer]
#pragma warning restore CA2255
    internal static void Prepare()
    {
        if (!OperatingSystem.IsLinux()) return;
        // By the C library: what .NET sets is not seen by native code.
        foreach (var (name, value) in Variables) _ = SetVariable(name, value, overwrite: 0);
        try
        {
            foreach (var (name, parameter, value) in HeapLimits)
                if (Environment.GetEnvironmentVariable(name) is null) _ = SetHeapLimit(parameter, value);
        }
        catch (EntryPointNotFoundException)
        {
            // Another C library, such as musl: there is nothing of the kind to call.
        }
    }

    [DllImport("libc", EntryPoint = "setenv")]
    private static extern int SetVariable(string name, string value, int overwrite);

    [DllImport("libc", EntryPoint = "mallopt")]
    private static extern int SetHeapLimit(int parameter, int value);
}

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
