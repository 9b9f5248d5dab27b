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

    private ModelSlot? TryHoldLive()
    {
        lock (_lock)
        {
            if (_live is null) return null;
            _live.Holds++;
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
            if (!reading.IsUnchanged) (_pointer, _pointerETag) = (reading.Pointer, reading.ETag);
            if (_pointer is null) return;
            if (LiveVersion != _pointer.Version) await SwapAsync(_pointer);
            lock (_lock) _lastError = null;
        }
        catch (Exception exception)
        {
            // The old model goes on serving; the status says why the new one does not.
            if (exception is not ModelUnavailableException) _logger.PointerUnreadable(exception, exception.Message);
            lock (_lock) _lastError = exception.Message;
        }
    }

    private async Task SwapAsync(ModelPointer pointer)
    {
        // The hold becomes the live model's own; it ends when the next one is swapped in.
        var (slot, room) = HoldOrStart(pointer.Version, pointer.ManifestSha256);
        while (slot is null)
        {
            await room!;
            (slot, room) = HoldOrStart(pointer.Version, pointer.ManifestSha256);
        }
        try
        {
            var model = await slot.Model;
            if (model.Digest != pointer.ManifestSha256)
                throw new ModelUnavailableException($"The manifest of model {pointer.Version} is not the one that was promoted; promote the version again if the change was meant.");
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
}
