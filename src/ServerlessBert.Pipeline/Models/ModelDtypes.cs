using ServerlessBert.Modeling.Inference;
using ServerlessBert.Pipeline.Storage;

namespace ServerlessBert.Pipeline.Models;

/// <summary>
/// The dtype that a version computes in where the settings leave it to a measurement: decided once, by the first host
/// that loads the version, and kept for all others, or replicas of different processors would give different last digits
/// in one file. It is kept as <c>runs/dtypes/&lt;version&gt;.json</c>: hosts may not write beside the version, and its
/// hashes do not change. A host whose own settings name a dtype neither reads nor writes it.
/// </summary>
public sealed class ModelDtypes(PipelineStorage storage, InferenceOptions options, TimeProvider time)
{
    /// <summary>Whether the dtype of a version is decided once for all hosts; false where this host's settings name one.</summary>
    public bool AreShared => options.Dtype == InferenceDtype.Auto;

    /// <summary>What was decided; null where nothing was yet, or the document is damaged.</summary>
    public async Task<InferenceDtype?> ReadAsync(string version, CancellationToken cancellationToken = default) =>
        (await Document(version).ReadAsync(null, cancellationToken)).Value?.Parsed;

    /// <summary>Keeps what this host's measurement found, unless another host was first.</summary>
    /// <returns>What stands now, for every host.</returns>
    public async Task<InferenceDtype> DecideAsync(string version, InferenceDtype measured, CancellationToken cancellationToken = default)
    {
        string dtype = measured.ToString().ToLowerInvariant();
        var decided = new ModelDtype { Dtype = dtype, Host = Environment.MachineName, At = time.GetUtcNow() };
        // A damaged document is replaced: it says nothing that any host could follow.
        var standing = await Document(version).ChangeAsync(reading => reading.Value?.Parsed is null ? decided : null, cancellationToken);
        return standing.Value?.Parsed ?? measured;
    }

    private JsonBlob<ModelDtype> Document(string version) =>
        new(storage.Container(StorageNames.Runs).GetBlobClient($"dtypes/{ModelVersion.Checked(version)}.json"));
}

/// <summary>A version's dtype, as decided.</summary>
public sealed record ModelDtype
{
    /// <summary>The document's schema, 1.</summary>
    public int Schema { get; init; } = 1;

    /// <summary>float32, bfloat16 or int8.</summary>
    public required string Dtype { get; init; }

    /// <summary>The host that measured.</summary>
    public string? Host { get; init; }

    /// <summary>When.</summary>
    public DateTimeOffset At { get; init; }

    internal InferenceDtype? Parsed =>
        Enum.TryParse(Dtype, ignoreCase: true, out InferenceDtype known) && Enum.IsDefined(known)
            && known != InferenceDtype.Auto ? known : null;
}
