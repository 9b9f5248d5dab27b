using ServerlessBert.Pipeline.Telemetry;

namespace ServerlessBert.Pipeline.Models;

public sealed partial class ModelCache
{
    private ModelSlot? _live;
    private string? _lastError;
    private string? _pointerETag;
    private ModelPointer? _pointer;
    private DateTimeOffset _lookedAt = DateTimeOffset.MinValue;
    private Task _look = Task.CompletedTask;

    private string? LiveVersion
    {
        get
        {
            lock (_lock) return _live?.Version;
        }
    }

    /// <summary>
    /// Takes what the pointer names now, as a batch would have it done; nothing is loaded where nothing was asked for yet.
    /// </summary>
    public Task RefreshAsync() => LiveVersion is null ? Task.CompletedTask : LookAtPointer(isNeeded: false);

    private ModelSlot? TryHoldLive()
    {
        lock (_lock)
        {
            if (_live is null) return null;
            _live.RefCount++;
            return _live;
        }
    }

    /// <summary>One look at the pointer at a time, and at most one each interval unless it is needed.</summary>
    private Task LookAtPointer(bool isNeeded)
    {
        lock (_lock)
        {
            if (!_look.IsCompleted || (!isNeeded && _time.GetUtcNow() - _lookedAt < _options.PollInterval)) return _look;
            _lookedAt = _time.GetUtcNow();
            return _look = Task.Run(LookAtPointerAsync);
        }
    }

    private async Task LookAtPointerAsync()
    {
        try
        {
            var reading = await _registry.ReadPointerAsync(_pointerETag, CancellationToken.None);
            if (!reading.IsUnchanged) (_pointer, _pointerETag) = (reading.IntactPointer(), reading.ETag);
            if (_pointer is null) return;
            if (LiveVersion != _pointer.Version) await SwapAsync(_pointer.Version, _pointer.ManifestSha256);
            lock (_lock) _lastError = null;
        }
        catch (Exception exception)
        {
            // The old model goes on serving; the status says why the new one does not.
            bool isOfModel = exception is ModelUnavailableException or HostUnableException;
            if (!isOfModel) _logger.PointerUnreadable(exception, exception.Message);
            else if (exception is ModelUnavailableException && LiveVersion is null) await FallBackAsync();
            lock (_lock) _lastError = exception.Message;
        }
    }

    // A host that starts while the pointer leads to a damaged version has no old model in memory: it takes the one
    // that was live before, as the hosts that were there already do.
    private async Task FallBackAsync()
    {
        foreach (string version in _pointer?.Servable.Skip(1) ?? [])
        {
            try
            {
                await SwapAsync(version, expectedDigest: null);
                return;
            }
            catch (ModelUnavailableException)
            {
                // Damaged too, which the load has logged; the one before it may be whole.
            }
        }
    }

    private async Task SwapAsync(string version, string? expectedDigest)
    {
        // The hold becomes the live model's own; it ends when the next one is swapped in.
        var (slot, room) = HoldOrStart(version, expectedDigest);
        while (slot is null)
        {
            await room!;
            (slot, room) = HoldOrStart(version, expectedDigest);
        }
        try
        {
            var model = await slot.Model;
            if (expectedDigest is not null && model.Digest != expectedDigest)
                throw new ModelUnavailableException(
                    $"The manifest of model {version} is not the one that was promoted; promote the version again if the change "
                    + "was meant.");
        }
        catch
        {
            Release(slot);
            throw;
        }
        ModelSlot? old;
        lock (_lock)
        {
            (old, _live) = (_live, slot);
        }
        _logger.ModelSwapped(slot.Version, old?.Version ?? "none");
        if (old is not null) Release(old);
    }

    /// <summary>
    /// Leases a version that runs in shadow. It never takes another model's place: it is loaded only where there is
    /// room beside the live one, and its place is free for whoever needs it as soon as the lease ends. So while the
    /// next model comes, or a file is answered by the one before, nothing runs in shadow.
    /// </summary>
    /// <returns>The lease, or null where there is no room.</returns>
    /// <exception cref="ModelUnavailableException">The version cannot be loaded.</exception>
    public async Task<ModelLease?> TryAcquireShadowAsync(string version, CancellationToken cancellationToken = default) =>
        TryHoldOrStartBeside(ModelVersion.Checked(version)) is { } slot
            ? await LeaseOfAsync(slot, cancellationToken, isShadow: true) : null;

    private ModelSlot? TryHoldOrStartBeside(string version)
    {
        lock (_lock)
        {
            bool hasRoom = _slots.Count < _options.MaxLoaded || _slots.ContainsKey(version);
            return hasRoom ? HoldOrStart(version, null).Slot : null;
        }
    }
}
