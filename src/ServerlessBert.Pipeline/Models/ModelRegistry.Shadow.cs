namespace ServerlessBert.Pipeline.Models;

public sealed partial class ModelRegistry
{
    /// <summary>Lets a version run in shadow on a share of the batches of the files that are dropped from now on.</summary>
    /// <param name="version">A complete version that is not live.</param>
    /// <param name="share">The share of batches, above 0 and at most 1.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <returns>The new pointer.</returns>
    /// <exception cref="ModelUnavailableException">The version is absent, incomplete, retired or live, or nothing is live that it could be compared with.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The share is none.</exception>
    public async Task<ModelPointer> SetShadowAsync(string version, double share, CancellationToken cancellationToken = default)
    {
        if (share is not (> 0 and <= 1)) throw new ArgumentOutOfRangeException(nameof(share), share, "The share of batches must be above 0 and at most 1.");
        await ReadManifestAsync(version, cancellationToken);
        return await MovePointerAsync(current => RefuseRetired(current, version) switch
        {
            null => throw new ModelUnavailableException("No model is live that a shadow could be compared with; promote one first: sbert models promote VERSION"),
            { } live when live.Version == version => throw new ModelUnavailableException($"Model {version} is the live one; name another version to run beside it."),
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
