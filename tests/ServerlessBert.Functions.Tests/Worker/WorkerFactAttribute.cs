using Microsoft.Azure.Functions.Worker;

namespace ServerlessBert.Functions.Tests.Worker;

/// <summary>A test of the real worker, skipped in a build with the stand-ins.</summary>
public sealed class WorkerFactAttribute : FactAttribute
{
    internal const string Reason = "needs the Azure Functions Worker packages, which the package feed lacked when this was built";

    public WorkerFactAttribute()
    {
        if (!HasPackages) Skip = Reason;
    }

    /// <summary>Whether this build has the packages.</summary>
    public static bool HasPackages { get; } = typeof(FunctionAttribute).Assembly.GetName().Name!.StartsWith("Microsoft.", StringComparison.Ordinal);
}

/// <summary>As <see cref="WorkerFactAttribute"/>, with data.</summary>
public sealed class WorkerTheoryAttribute : TheoryAttribute
{
    public WorkerTheoryAttribute()
    {
        if (!WorkerFactAttribute.HasPackages) Skip = WorkerFactAttribute.Reason;
    }
}
