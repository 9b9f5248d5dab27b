namespace Microsoft.Azure.Functions.Worker.Extensions.Abstractions;

/// <summary>The base of every trigger; it stands on the parameter that the trigger fills.</summary>
[AttributeUsage(AttributeTargets.Parameter)]
public abstract class TriggerBindingAttribute : BindingAttribute
{
    /// <summary>An attribute; public, as the worker's is.</summary>
    public TriggerBindingAttribute()
    {
    }
}
