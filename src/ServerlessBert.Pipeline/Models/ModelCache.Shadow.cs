namespace ServerlessBert.Pipeline.Models;

public sealed partial class ModelCache
{
    /// <summary>
    /// Leases a version that runs in shadow. It never takes another model's place: it is loaded only where there is
    /// room beside the live one, and its place is free for whoever needs it as soon as the lease ends. So while the
    /// next model comes, or a file is answered by the one before, nothing runs in shadow.
    /// </summary>
    /// <returns>The lease, or null where there is no room.</returns>
    /// <exception cref="ModelUnavailableException">The version cannot be loaded.</exception>
    public async Task<ModelLease?> TryAcquireShadowAsync(string version, CancellationToken cancellationToken = default) =>
        TryHoldOrStartBeside(ModelVersion.Checked(version)) is { } slot ? await LeaseOfAsync(slot, cancellationToken, isShadow: true) : null;

    private ModelSlot? TryHoldOrStartBeside(string version)
    {
        lock (_lock)
        {
            bool hasRoom = _slots.Count < _options.MaxLoaded || _slots.ContainsKey(version);
            return hasRoom ? HoldOrStart(version, null).Slot : null;
        }
    }
}
