using ServerlessBert.Pipeline.Storage;

namespace ServerlessBert.Pipeline.Models;

public sealed partial class ModelRegistry
{
    private JsonBlob<ModelPointer> Pointer => new(_models.GetBlobClient(ModelPointer.FileName));

    /// <summary>The live model, or null while none was promoted.</summary>
    /// <exception cref="ModelUnavailableException">current.json cannot be read.</exception>
    public async Task<ModelPointer?> CurrentAsync(CancellationToken cancellationToken = default) =>
        (await ReadPointerAsync(null, cancellationToken)).IntactPointer();

    /// <summary>Makes a published version the live one. A pointer that cannot be read is replaced, unless a gate decided.</summary>
    /// <param name="version">A complete version.</param>
    /// <param name="reason">Why, in a sentence; kept in the history.</param>
    /// <param name="onlyIfCurrent">The version that must be live for this to happen ("" for none), as when a gate compared with
    /// it; null does not care.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <returns>The new pointer.</returns>
    /// <exception cref="ModelUnavailableException">The version is absent or incomplete, or another one is live than was
    /// expected.</exception>
    /// <exception cref="UnwritableBlobException">Something holds the pointer: a lease, a tier, a policy.</exception>
    public async Task<ModelPointer> PromoteAsync(
        string version, string reason, string? onlyIfCurrent = null, CancellationToken cancellationToken = default)
    {
        var manifest = await ReadManifestAsync(version, cancellationToken);
        return await MovePointerAsync(current =>
        {
            RefusePruned(current, version);
            if (onlyIfCurrent is not null && onlyIfCurrent != (current?.Version ?? ""))
            {
                throw new ModelUnavailableException(
                    $"Model {version} was not promoted: the live model is now {current?.Version ?? "none"} and not "
                    + $"{(onlyIfCurrent.Length > 0 ? onlyIfCurrent : "none")}; compare with that one and promote again.");
            }
            bool isLive = current?.Version == version && current.ManifestSha256 == manifest.Digest;
            return isLive ? current! : Next(current, manifest, reason, rolledBack: false);
        }, cancellationToken, replacesDamaged: onlyIfCurrent is null);
    }

    /// <summary>Returns to the version that was live before, or to a named one.</summary>
    /// <param name="version">Where to; null takes the last one that was not itself rolled back.</param>
    /// <param name="reason">Why, in a sentence; null says that it was a rollback.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <returns>The new pointer.</returns>
    /// <exception cref="ModelUnavailableException">There is nothing to return to, or it is absent.</exception>
    public async Task<ModelPointer> RollbackAsync(
        string? version = null, string? reason = null, CancellationToken cancellationToken = default)
    {
        var current = await CurrentAsync(cancellationToken);
        string target = version ?? current?.Previous
            ?? throw new ModelUnavailableException(current is null ?
                "No model is live, so "
                + "there is nothing to roll "
                + "back." : $"No other model was live before {current.Version}; name the version to return to.");
        var manifest = await ReadManifestAsync(target, cancellationToken);
        return await MovePointerAsync(
            now => RefusePruned(now, target)?.Version == target
                ? now! : Next(now, manifest, reason ?? $"rolled back from {now?.Version ?? "none"}", rolledBack: true),
            cancellationToken);
    }

    /// <summary>A look at the pointer; what it names is checked, and what is damaged is an answer.</summary>
    internal async Task<JsonReading<ModelPointer>> ReadPointerAsync(string? knownETag, CancellationToken cancellationToken) =>
        Checked(await Pointer.ReadAsync(knownETag, cancellationToken));

    /// <summary>Writes the pointer where it is still as it was read.</summary>
    /// <param name="next">The new one.</param>
    /// <param name="etag">The ETag of what was read; null where there was none.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <returns>False when another hand moved it in between.</returns>
    /// <exception cref="UnwritableBlobException">Something holds it.</exception>
    internal async Task<bool> TryWritePointerAsync(ModelPointer next, string? etag, CancellationToken cancellationToken) =>
        await Pointer.WriteAsync(next, etag, cancellationToken) is not null;

    // Where another hand moved it in between, it is decided again from what stands there now.
    private async Task<ModelPointer> MovePointerAsync(
        Func<ModelPointer?, ModelPointer> move, CancellationToken cancellationToken, bool replacesDamaged = false)
    {
        var moved = await Pointer.ChangeAsync(reading =>
        {
            reading = Checked(reading);
            var current = replacesDamaged ? reading.Value : reading.IntactPointer();
            var next = move(current);
            return next == current ? null : next;
        }, cancellationToken);
        return moved.Value!;
    }

    // A pruned version's manifest may be there for another moment; what its files are is past.
    private static ModelPointer? RefusePruned(ModelPointer? current, string version) => current?.RoleOf(version) == ModelRole.Pruned
        ? throw new ModelUnavailableException(
            $"Model {version} is pruned and its files are being deleted; publish it again, or choose one of: sbert models list")
        : current;

    private ModelPointer Next(ModelPointer? current, ModelManifest manifest, string reason, bool rolledBack)
    {
        var now = time.GetUtcNow();
        return new ModelPointer
        {
            Version = manifest.Version,
            ManifestSha256 = manifest.Digest,
            Promoted = now,
            Reason = reason,
            History = current is null
                ? [] : [new PastModel(current.Version, current.Promoted, now, current.Reason, rolledBack), .. PastOf(current, rolledBack)],
            Shadow = current?.Shadow?.Version == manifest.Version ? null : current?.Shadow,
            Pruned = current?.Pruned ?? [],
        };
    }

    // A version that was rolled back is rolled back for the times it was live before, too: the next rollback goes further back.
    private static IEnumerable<PastModel> PastOf(ModelPointer current, bool rolledBack) =>
        current.History.Select(past => rolledBack && past.Version == current.Version ? past with { RolledBack = true } : past);

    private static JsonReading<ModelPointer> Checked(JsonReading<ModelPointer> reading) =>
        reading.Value is { } pointer && !ModelVersion.IsValid(pointer.Version)
        ? reading with { Value = null, Damage = $"{ModelPointer.FileName} is damaged: it names the version \"{pointer.Version}\"." }
        : reading;

    /// <summary>Lets a version run in shadow on a share of the batches of the files that are dropped from now on.</summary>
    /// <param name="version">A complete version that is not live.</param>
    /// <param name="share">The share of batches, above 0 and at most 1.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <returns>The new pointer.</returns>
    /// <exception cref="ModelUnavailableException">The version is absent, incomplete, pruned or live, or nothing is live that
    /// it could be compared with.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The share is none.</exception>
    public async Task<ModelPointer> SetShadowAsync(string version, double share, CancellationToken cancellationToken = default)
    {
        if (share is not (> 0 and <= 1)) throw new ArgumentOutOfRangeException(nameof(share), share,
            "The share of batches must be above 0 and at most 1.");
        await ReadManifestAsync(version, cancellationToken);
        return await MovePointerAsync(current => RefusePruned(current, version) switch
        {
            null => throw new ModelUnavailableException(
                "No model is live that a shadow could be compared with; promote one first: sbert models promote VERSION"),
            { } live when live.Version == version => throw new ModelUnavailableException(
                $"Model {version} is the live one; name another version to run beside it."),
            { } live when live.Shadow is { } shadow && shadow.Version == version && shadow.Share == share => live,
            { } live => live with { Shadow = new ModelShadow(version, share, time.GetUtcNow()) },
        }, cancellationToken);
    }

    /// <summary>Ends the shadow, if there is one. Runs that began with it keep it.</summary>
    public async Task ClearShadowAsync(CancellationToken cancellationToken = default)
    {
        if (await CurrentAsync(cancellationToken) is { Shadow: not null })
            await MovePointerAsync(current => current?.Shadow is null ? current! : current with { Shadow = null }, cancellationToken);
    }
}
