namespace ServerlessBert.Infrastructure.Tests;

/// <summary>dockerfile-utils, which the build of this project gets from npm.</summary>
internal static class DockerfileLinter
{
    public const string Absent = "needs dockerfile-utils, which npm could not install when this project was built";

    public static string Program { get; } =
        Repository.PathOf("eng", "dockerfile-linter", "node_modules", "dockerfile-utils", "bin", "dockerfile-utils");

    public static bool IsThere => File.Exists(Program);
}

/// <summary>A test that runs the linter, skipped with its reason where it is absent.</summary>
public sealed class DockerfileLinterFactAttribute : FactAttribute
{
    public DockerfileLinterFactAttribute()
    {
        if (!DockerfileLinter.IsThere) Skip = DockerfileLinter.Absent;
    }
}

/// <summary>A theory that runs the linter, skipped with its reason where it is absent.</summary>
public sealed class DockerfileLinterTheoryAttribute : TheoryAttribute
{
    public DockerfileLinterTheoryAttribute()
    {
        if (!DockerfileLinter.IsThere) Skip = DockerfileLinter.Absent;
    }
}
