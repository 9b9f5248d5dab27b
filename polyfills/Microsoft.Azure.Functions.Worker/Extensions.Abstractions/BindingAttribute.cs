namespace Microsoft.Azure.Functions.Worker.Extensions.Abstractions;

/// <summary>The base of every binding.</summary>
[AttributeUsage(AttributeTargets.Method)]
public abstract class BindingAttribute : Attribute
{
    /// <summary>An attribute; public, as the worker's is.</summary>
    public BindingAttribute()
    {
    }
}
