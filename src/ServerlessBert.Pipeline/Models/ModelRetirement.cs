using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using ServerlessBert.Pipeline.Storage;

namespace ServerlessBert.Pipeline.Models;

/// <summary>
/// Gives old versions up, by rule. First they are named in current.json, under If-Match, so that none of them can be
/// promoted any more; then their manifests go, and with them the versions for every reader; their files go a grace
/// period later. Cut off anywhere, the next call goes on.
/// </summary>
public sealed class ModelRetirement(PipelineStorage storage, ModelRegistry registry, TimeProvider time)
{
    private readonly BlobContainerClient _models = storage.Container(StorageNames.Models);

    /// <summary>Retires what the rule does not keep.</summary>
    /// <param name="options">The rule.</param>
    /// <param name="isDryRun">Whether it is only said what would happen.</param>
    /// <param name="cancellationToken">Ends the work; another call goes on.</param>
    /// <returns>What becomes of each version and why, the newest first.</returns>
    /// <exception cref="ModelUnavailableException">No model is live, or the pointer cannot be read: nothing says then what must stay.</exception>
    public async Task<IReadOnlyList<ModelFate>> RetireAsync(ModelRetirementOptions options, bool isDryRun = false, CancellationToken cancellationToken = default)
    {
        while (true)
        {
            var reading = await registry.ReadPointerAsync(null, cancellationToken);
            var pointer = reading.Whole ?? throw new ModelUnavailableException("No model is live, so none is retired; promote one first: sbert models promote VERSION");
            var fates = new List<ModelFate>(await DecideAsync(pointer, options, cancellationToken));
            if (isDryRun) return fates;

            var now = time.GetUtcNow();
            RetiredModel[] retired = [.. pointer.Retired, .. fates.Where(fate => fate.IsRetired).Select(fate => fate.Version).Except(pointer.Retired.Select(one => one.Version)).Select(version => new RetiredModel(version, now))];
            bool isMarked = retired.Length == pointer.Retired.Count || await registry.TryWritePointerAsync(pointer with { Retired = retired }, reading.ETag, cancellationToken);
            if (!isMarked) continue; // a promotion or another retirement came in between

            await DeleteAsync(retired, now - options.Grace, cancellationToken);
            return fates;
        }
    }

    private async Task<IReadOnlyList<ModelFate>> DecideAsync(ModelPointer pointer, ModelRetirementOptions options, CancellationToken cancellationToken)
    {
        var versions = await registry.ListAsync(cancellationToken);
        string? parent = await registry.ParentOfAsync(pointer.Version, cancellationToken);
        var newest = versions.Where(model => model.IsComplete && pointer.RoleOf(model.Version) != ModelRole.Retired).Take(options.Keep).Select(model => model.Version).ToHashSet();
        var since = time.GetUtcNow() - options.Grace;
        return
        [
            .. versions.Select(model =>
                pointer.RoleOf(model.Version) switch
                {
                    ModelRole.Retired => ModelFate.Retired(model, "retired before; its files go after the grace period"),
                    ModelRole.Live => ModelFate.Kept(model, "it is live"),
                    ModelRole.Shadow => ModelFate.Kept(model, "it runs in shadow"),
                    ModelRole.Previous => ModelFate.Kept(model, "a rollback returns to it"),
                    _ when model.Version == parent => ModelFate.Kept(model, "the live model was trained from it"),
                    _ when pointer.History.Any(past => past.Version == model.Version && past.Replaced > since) => ModelFate.Kept(model, $"it was live within {options.Grace}, and may still answer a file"),
                    _ when !model.IsComplete => model.Published > since ? ModelFate.Kept(model, "it is being published") : ModelFate.Retired(model, "its upload was cut off"),
                    _ when newest.Contains(model.Version) => ModelFate.Kept(model, $"it is among the {options.Keep} newest"),
                    _ => ModelFate.Retired(model, $"there are {options.Keep} newer ones"),
                }),
        ];
    }

    private async Task DeleteAsync(IReadOnlyList<RetiredModel> retired, DateTimeOffset before, CancellationToken cancellationToken)
    {
        var gone = new List<string>();
        foreach (var (version, at) in retired)
        {
            bool wasWhole = await _models.DeleteBlobIfExistsAsync($"{version}/{ModelManifest.FileName}", cancellationToken: cancellationToken);
            // Where the manifest stood until now, as after a call that was cut off, a host may have read it a moment ago.
            if (wasWhole || at > before) continue;
            await foreach (var blob in _models.GetBlobsAsync(new GetBlobsOptions { Prefix = $"{version}/" }, cancellationToken))
                await _models.DeleteBlobIfExistsAsync(blob.Name, cancellationToken: cancellationToken);
            gone.Add(version);
        }
        if (gone.Count > 0) await ForgetAsync(gone, cancellationToken);
    }

    private async Task ForgetAsync(IReadOnlyCollection<string> gone, CancellationToken cancellationToken)
    {
        while (true)
        {
            var reading = await registry.ReadPointerAsync(null, cancellationToken);
            if (reading.Whole is not { } pointer) return;
            var next = pointer with { Retired = [.. pointer.Retired.Where(one => !gone.Contains(one.Version))] };
            if (next.Retired.Count == pointer.Retired.Count || await registry.TryWritePointerAsync(next, reading.ETag, cancellationToken)) return;
        }
    }
}

/// <summary>What becomes of a version.</summary>
/// <param name="Version">Its name.</param>
/// <param name="IsRetired">Whether it is given up.</param>
/// <param name="Reason">Why, in a clause.</param>
/// <param name="Bytes">Bytes of its files.</param>
public sealed record ModelFate(string Version, bool IsRetired, string Reason, long Bytes)
{
    internal static ModelFate Kept(PublishedModel model, string reason) => new(model.Version, false, reason, model.Bytes);

    internal static ModelFate Retired(PublishedModel model, string reason) => new(model.Version, true, reason, model.Bytes);
}
