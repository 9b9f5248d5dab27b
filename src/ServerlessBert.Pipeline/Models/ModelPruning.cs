using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using ServerlessBert.Pipeline.Storage;

namespace ServerlessBert.Pipeline.Models;

/// <summary>
/// Prunes old versions, by rule. First they are named in current.json, under If-Match, so that none of them can be
/// promoted any more; then their manifests go, and with them the versions for every reader; their files go a grace
/// period later. Interrupted anywhere, the next call resumes.
/// </summary>
public sealed class ModelPruning(PipelineStorage storage, ModelRegistry registry, TimeProvider time)
{
    private readonly BlobContainerClient _models = storage.Container(StorageNames.Models);

    /// <summary>Prunes what the rule does not keep.</summary>
    /// <param name="options">The rule.</param>
    /// <param name="isDryRun">Whether it is only said what would happen.</param>
    /// <param name="cancellationToken">Ends the work; another call resumes.</param>
    /// <returns>What becomes of each version and why, the newest first.</returns>
    /// <exception cref="ModelUnavailableException">No model is live, or the pointer cannot be read: nothing says then what must
    /// stay.</exception>
    public async Task<IReadOnlyList<PruneDecision>> PruneAsync(
        ModelPruningOptions options, bool isDryRun = false, CancellationToken cancellationToken = default)
    {
        var (decisions, pruned) = await ContendedWrite.RetryAsync(ModelPointer.FileName, () =>
            MarkAsync(options, isDryRun, cancellationToken), cancellationToken);
        if (isDryRun) return decisions;
        var held = await DeleteAsync(pruned, time.GetUtcNow() - options.Grace, cancellationToken);
        return [.. decisions.Select(decision =>
            held.TryGetValue(decision.Version, out string? reason) ? decision with { Reason = reason } : decision)];
    }

    // Null when a promotion or another pruning came in between: then it is decided anew.
    private async Task<MarkedVersions?> MarkAsync(ModelPruningOptions options, bool isDryRun, CancellationToken cancellationToken)
    {
        var reading = await registry.ReadPointerAsync(null, cancellationToken);
        var pointer = reading.IntactPointer() ?? throw new ModelUnavailableException(
            "No model is live, so none is pruned; promote one first: sbert models promote VERSION");
        var decisions = await DecideAsync(pointer, options, cancellationToken);
        string[] marked = [.. pointer.Pruned.Select(model => model.Version)];
        var now = time.GetUtcNow();
        PrunedModel[] pruned =
        [
            .. pointer.Pruned,
            .. decisions.Where(decision => decision.IsPruned && !marked.Contains(decision.Version))
                .Select(decision => new PrunedModel(decision.Version, now)),
        ];
        bool isMarked = isDryRun || pruned.Length == marked.Length
            || await registry.TryWritePointerAsync(pointer with { Pruned = pruned }, reading.ETag, cancellationToken);
        return isMarked ? new MarkedVersions(decisions, pruned) : null;
    }

    private async Task<IReadOnlyList<PruneDecision>> DecideAsync(
        ModelPointer pointer, ModelPruningOptions options, CancellationToken cancellationToken)
    {
        var versions = await registry.ListAsync(cancellationToken);
        string? parent = await registry.ParentOfAsync(pointer.Version, cancellationToken);
        var newest = versions.Where(model => model.IsComplete && pointer.RoleOf(model.Version) != ModelRole.Pruned).Take(options.Keep)
            .Select(model => model.Version).ToHashSet();
        var since = time.GetUtcNow() - options.Grace;
        return
        [
            .. versions.Select(model =>
                pointer.RoleOf(model.Version) switch
                {
                    ModelRole.Pruned => PruneDecision.Pruned(model, "pruned before; its files go after the grace period"),
                    ModelRole.Live => PruneDecision.Kept(model, "it is live"),
                    ModelRole.Shadow => PruneDecision.Kept(model, "it runs in shadow"),
                    ModelRole.Previous => PruneDecision.Kept(model, "a rollback returns to it"),
                    _ when model.Version == parent => PruneDecision.Kept(model, "the live model was trained from it"),
                    _ when pointer.History.Any(past => past.Version == model.Version && past.Replaced > since) => PruneDecision.Kept(model,
                        $"it was live within {options.Grace}, and may still answer a file"),
                    _ when !model.IsComplete => model.Published > since
                        ? PruneDecision.Kept(model, "it is being published") : PruneDecision.Pruned(model, "its upload was interrupted"),
                    _ when newest.Contains(model.Version) => PruneDecision.Kept(model, $"it is among the {options.Keep} newest"),
                    _ => PruneDecision.Pruned(model, $"there are {options.Keep} newer ones"),
                }),
        ];
    }

    /// <returns>What holds the files of versions that could not be deleted; the next call tries again.</returns>
    private async Task<IReadOnlyDictionary<string, string>> DeleteAsync(
        IReadOnlyList<PrunedModel> pruned, DateTimeOffset before, CancellationToken cancellationToken)
    {
        var gone = new HashSet<string>();
        var held = new Dictionary<string, string>();
        foreach (var (version, at) in pruned)
        {
            try
            {
                bool wasWhole = await DeleteAsync($"{version}/{ModelManifest.FileName}", cancellationToken);
                // Where the manifest stood until now, as after a call that was interrupted, a host may have read it a moment ago.
                if (wasWhole || at > before) continue;
                await foreach (var blob in _models.GetBlobsAsync(new GetBlobsOptions { Prefix = $"{version}/" }, cancellationToken))
                    await DeleteAsync(blob.Name, cancellationToken);
                gone.Add(version);
            }
            catch (UnwritableBlobException exception)
            {
                held[version] = exception.Message;
            }
        }
        if (gone.Count > 0) await ForgetAsync(gone, cancellationToken);
        return held;
    }

    private async Task<bool> DeleteAsync(string name, CancellationToken cancellationToken)
    {
        var blob = _models.GetBlobClient(name);
        try
        {
            return await blob.DeleteIfExistsAsync(cancellationToken: cancellationToken);
        }
        catch (RequestFailedException exception) when (exception.IsUnwritable())
        {
            throw StorageErrors.Unwritable(blob, exception);
        }
    }

    private Task ForgetAsync(HashSet<string> gone, CancellationToken cancellationToken) =>
        ContendedWrite.RetryAsync<object>(ModelPointer.FileName, async () =>
    {
        var reading = await registry.ReadPointerAsync(null, cancellationToken);
        if (reading.IntactPointer() is not { } pointer) return gone;
        var next = pointer with { Pruned = [.. pointer.Pruned.Where(model => !gone.Contains(model.Version))] };
        return next.Pruned.Count == pointer.Pruned.Count
            || await registry.TryWritePointerAsync(next, reading.ETag, cancellationToken) ? gone : null;
    }, cancellationToken);

    private sealed record MarkedVersions(IReadOnlyList<PruneDecision> Decisions, IReadOnlyList<PrunedModel> Pruned);
}

/// <summary>What becomes of a version.</summary>
/// <param name="Version">Its name.</param>
/// <param name="IsPruned">Whether it is pruned.</param>
/// <param name="Reason">Why, in a clause.</param>
/// <param name="Bytes">Bytes of its files.</param>
public sealed record PruneDecision(string Version, [property: JsonPropertyName("isRetired")] bool IsPruned, string Reason, long Bytes)
{
    internal static PruneDecision Kept(PublishedModel model, string reason) => new(model.Version, false, reason, model.Bytes);

    internal static PruneDecision Pruned(PublishedModel model, string reason) => new(model.Version, true, reason, model.Bytes);
}

/// <summary>Which versions are kept; section <c>ServerlessBert:Retirement</c>.</summary>
public sealed record ModelPruningOptions
{
    /// <summary>The configuration section's name.</summary>
    public const string Section = "ServerlessBert:Retirement";

    /// <summary>
    /// How many of the newest versions are kept, whatever they are: ten bert-base in bfloat16 are 2 GB, some cents a month.
    /// </summary>
    [Range(0, 100_000)]
    public int Keep { get; init; } = 10;

    /// <summary>
    /// How long a pruned version's files stay after its manifest is gone, for hosts that are just downloading them; how
    /// long a version that was live stays, for the files that it still answers; and how long an upload may take.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "365.00:00:00")]
    public TimeSpan Grace { get; init; } = TimeSpan.FromDays(1);
}
