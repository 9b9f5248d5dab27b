using System.Diagnostics;
using Microsoft.Extensions.Logging;
using ServerlessBert.Modeling.Inference;
using ServerlessBert.Modeling.Tokenization;
using ServerlessBert.Pipeline.Telemetry;

namespace ServerlessBert.Pipeline.Models;

/// <summary>Brings a version from storage into memory: manifest, download, every hash, load, warm-up. Remembers what cannot be loaded.</summary>
internal sealed class ModelLoader(ModelRegistry registry, ModelCacheOptions options, Func<string, IReviewClassifier> load, SemaphoreSlim compute, TimeProvider time, ILogger logger)
{
    private readonly Dictionary<string, string> _refused = [];
    private readonly Lock _lock = new();

    /// <summary>Loads a version.</summary>
    /// <param name="version">The version.</param>
    /// <param name="expectedDigest">The manifest's SHA-256 as the pointer names it; null where no pointer vouches for it.</param>
    /// <exception cref="ModelUnavailableException">It is absent, damaged, or was found so before and has not changed.</exception>
    public async Task<CachedModel> LoadAsync(string version, string? expectedDigest)
    {
        var clock = Stopwatch.StartNew();
        var manifest = await registry.ReadManifestAsync(version);
        if (expectedDigest is not null && manifest.Digest != expectedDigest)
            throw new ModelUnavailableException($"The manifest of model {version} is not the one that was promoted (its SHA-256 is {manifest.Digest} and not {expectedDigest}); promote the version again if the change was meant.");
        if (ReasonAgainst(manifest.Digest) is { } reason) throw new ModelUnavailableException(reason);

        var classifier = await DownloadAndLoadAsync(manifest);
        PipelineMetrics.ModelLoaded(clock.Elapsed);
        logger.ModelLoaded(version, clock.Elapsed.TotalSeconds, manifest.Digest);
        return new CachedModel(version, manifest.Digest, classifier, time.GetUtcNow());
    }

    private async Task<IReviewClassifier> DownloadAndLoadAsync(ModelManifest manifest)
    {
        string folder = NewFolder();
        try
        {
            RequireSpace(manifest, folder);
            await registry.DownloadAsync(manifest, folder);
            return await WarmedAsync(manifest.Version, folder);
        }
        catch (ModelUnavailableException exception)
        {
            lock (_lock) _refused[manifest.Digest] = exception.Message;
            throw;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private async Task<IReviewClassifier> WarmedAsync(string version, string folder)
    {
        IReviewClassifier? classifier = null;
        try
        {
            classifier = load(folder);
            await WarmUpAsync(classifier);
            return classifier;
        }
        catch (Exception exception) when (exception is not ModelUnavailableException)
        {
            // Whatever the checkpoint's reader or libtorch throws, the files are what they are: this version does not load.
            classifier?.Dispose();
            throw new ModelUnavailableException($"Model {version} is whole but cannot be loaded: {exception.Message}", exception);
        }
    }

    // The first pass chooses kernels and touches every weight; it must not be a caller's. It takes its turn with the model that serves.
    private async Task WarmUpAsync(IReviewClassifier classifier)
    {
        await compute.WaitAsync();
        try
        {
            classifier.Classify(classifier.Tokenize(["A first review, to warm the model up."]));
        }
        finally
        {
            compute.Release();
        }
    }

    private string? ReasonAgainst(string digest)
    {
        lock (_lock) return _refused.GetValueOrDefault(digest);
    }

    private string NewFolder()
    {
        if (options.TemporaryFolder is null) return Directory.CreateTempSubdirectory("sbert-model-").FullName;
        return Directory.CreateDirectory(Path.Combine(options.TemporaryFolder, "sbert-model-" + Path.GetRandomFileName())).FullName;
    }

    // Not remembered: the disk may have room the next time.
    private void RequireSpace(ModelManifest manifest, string folder)
    {
        long free = new DriveInfo(folder).AvailableFreeSpace;
        if (free < manifest.Length + options.SpareBytes)
            throw new IOException($"Model {manifest.Version} needs {manifest.Length:N0} bytes in {Path.GetDirectoryName(folder)}, and {free:N0} are free; make room, or set {ModelCacheOptions.Section}:TemporaryFolder to another disk.");
    }
}

/// <summary>What the cache holds of a model.</summary>
public interface IReviewClassifier : IDisposable
{
    /// <summary>Tokenizes texts; any number of callers at once, also while another classifies.</summary>
    IReadOnlyList<EncodedText> Tokenize(IReadOnlyList<string> texts);

    /// <summary>Classifies what <see cref="Tokenize"/> gave; the result is in its order. One caller at a time.</summary>
    IReadOnlyList<Classification> Classify(IReadOnlyList<EncodedText> texts, CancellationToken cancellationToken = default);
}

/// <summary>A checkpoint folder's classifier.</summary>
/// <param name="classifier">The classifier; freed with this.</param>
public sealed class CheckpointClassifier(ReviewClassifier classifier) : IReviewClassifier
{
    /// <inheritdoc/>
    public IReadOnlyList<EncodedText> Tokenize(IReadOnlyList<string> texts) => classifier.Tokenize(texts);

    /// <inheritdoc/>
    public IReadOnlyList<Classification> Classify(IReadOnlyList<EncodedText> texts, CancellationToken cancellationToken = default) => classifier.Classify(texts, cancellationToken);

    /// <inheritdoc/>
    public void Dispose() => classifier.Dispose();
}
