using Xunit;

namespace ServerlessBert.Testing;

/// <summary>Real reviews, vocabularies and golden fixtures beside the checkout; tests that need them skip where they are absent.</summary>
public static class SharedData
{
    /// <summary>The folder, or null.</summary>
    public static string? Root { get; } = Find();

    /// <summary>
    /// A file's path; only for tests marked <see cref="SharedDataFactAttribute"/> or <see cref="SharedDataTheoryAttribute"/>.
    /// </summary>
    public static string PathOf(params string[] parts) =>
        Path.Combine([Root ?? throw new InvalidOperationException("No shared/data folder."), .. parts]);

    private static string? Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            string candidate = Path.Combine(folder.FullName, "shared", "data");
            if (Directory.Exists(candidate)) return candidate;
        }
        return null;
    }
}

/// <summary>A test over ../shared/data, skipped with its reason where that folder is absent.</summary>
public sealed class SharedDataFactAttribute : FactAttribute
{
    /// <summary>Skips where the data is absent.</summary>
    public SharedDataFactAttribute()
    {
        if (SharedData.Root is null) Skip = "needs ../shared/data, which is not beside this checkout";
    }
}

/// <summary>A theory over ../shared/data, skipped with its reason where that folder is absent.</summary>
public sealed class SharedDataTheoryAttribute : TheoryAttribute
{
    /// <summary>Skips where the data is absent.</summary>
    public SharedDataTheoryAttribute()
    {
        if (SharedData.Root is null) Skip = "needs ../shared/data, which is not beside this checkout";
    }
}
