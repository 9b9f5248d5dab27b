using System.Diagnostics;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using ServerlessBert.Modeling;
using ServerlessBert.Modeling.Inference;
using ServerlessBert.Modeling.Tokenization;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Pipeline.Telemetry;

namespace ServerlessBert.Pipeline.Models;

/// <summary>
/// Brings a version from storage into memory: manifest, download, every hash, load, warm-up. What is wrong with the files
/// themselves is remembered, since finding it out again costs a download: as long as the files are the same ones, and not
/// for ever. A missing file, storage, disk and memory are never remembered.
/// </summary>
internal sealed class ModelLoader(
    ModelRegistry registry, ModelDtypes dtypes, ModelCacheOptions options, LoadClassifier load, SemaphoreSlim compute, TimeProvider time,
        ILogger logger)
{
    private readonly Dictionary<string, Refusal> _refused = [];
    private readonly Lock _lock = new();

    /// <summary>Loads a version.</summary>
    /// <param name="version">The version.</param>
    /// <param name="expectedDigest">The manifest's SHA-256 as the pointer names it; null where no pointer vouches for it.</param>
    /// <exception cref="ModelUnavailableException">It is absent, damaged, or was found so before and has not changed.</exception>
    /// <exception cref="HostUnableException">It may be whole, but this host cannot get or load it.</exception>
    public async Task<CachedModel> LoadAsync(string version, string? expectedDigest)
    {
        try
        {
            return await TryLoadAsync(version, expectedDigest);
        }
        catch (Exception exception) when (exception is not ModelUnavailableException)
        {
            throw new HostUnableException($"This host cannot load model {version}: {StorageErrors.Sentence(exception)}", exception);
        }
    }

    private async Task<CachedModel> TryLoadAsync(string version, string? expectedDigest)
    {
        var clock = Stopwatch.StartNew();
        var manifest = await registry.ReadManifestAsync(version);
        if (expectedDigest is not null && manifest.Digest != expectedDigest)
        {
            throw new ModelUnavailableException(
                $"The manifest of model {version} is not the one that was promoted "
                + $"(its SHA-256 is {manifest.Digest} and not {expectedDigest}); promote the version again if the change was meant.");
        }
        var stored = await registry.ListFilesAsync(version);
        if (manifest.Files.FirstOrDefault(file => !stored.ContainsKey(file.Name)) is { } missing)
            throw new ModelUnavailableException(ModelRegistry.Sentence(version,
                new(missing.Name, FolderDamage.Missing, "is missing from storage", null)));
        if (ReasonAgainst(manifest, stored) is { } reason) throw new ModelUnavailableException(reason);

        var classifier = await DownloadAndLoadAsync(manifest, stored);
        PipelineMetrics.ModelLoaded(clock.Elapsed);
        logger.ModelLoaded(version, clock.Elapsed.TotalSeconds, manifest.Digest);
        return new CachedModel(version, manifest.Digest, classifier, time.GetUtcNow());
    }

    private async Task<IReviewClassifier> DownloadAndLoadAsync(ModelManifest manifest, IReadOnlyDictionary<string, string> stored)
    {
        string folder = NewFolder();
        try
        {
            RequireSpace(manifest, folder);
            if (await registry.TryDownloadAsync(manifest, folder) is { } problem)
            {
                string sentence = ModelRegistry.Sentence(manifest.Version, problem);
                if (problem.Damage == FolderDamage.WrongBytes) Remember(manifest, stored, sentence);
                throw new ModelUnavailableException(sentence);
            }
            return await LoadAsync(manifest, stored, folder);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private async Task<IReviewClassifier> LoadAsync(ModelManifest manifest, IReadOnlyDictionary<string, string> stored, string folder)
    {
        try
        {
            InferenceDtype? decided = dtypes.AreShared ? await dtypes.ReadAsync(manifest.Version) : null;
            var classifier = await WarmedAsync(folder, decided);
            if (!dtypes.AreShared || decided is not null) return classifier;

            var measured = Enum.Parse<InferenceDtype>(classifier.Dtype, ignoreCase: true);
            var standing = await DecideAsync(manifest.Version, measured, classifier);
            if (standing == measured) return classifier;
            classifier.Dispose(); // another host measured first, and another dtype
            return await WarmedAsync(folder, standing);
        }
        catch (Exception exception)
            when (exception is CheckpointException or InvalidDataException or JsonException or FormatException or ArgumentException)
        {
            // What the checkpoint's readers find wrong with the files is so on every host; the rest may be this host's own.
            string sentence = $"Model {manifest.Version} is whole but cannot be loaded: {exception.Message}";
            Remember(manifest, stored, sentence);
            throw new ModelUnavailableException(sentence, exception);
        }
    }

    private async Task<InferenceDtype> DecideAsync(string version, InferenceDtype measured, IReviewClassifier classifier)
    {
        try
        {
            var standing = await dtypes.DecideAsync(version, measured);
            logger.DtypeDecided(version, standing, measured);
            return standing;
        }
        catch
        {
            classifier.Dispose();
            throw;
        }
    }

    private async Task<IReviewClassifier> WarmedAsync(string folder, InferenceDtype? decided)
    {
        IReviewClassifier? classifier = null;
        try
        {
            classifier = load(folder, decided);
            await WarmUpAsync(classifier);
            return classifier;
        }
        catch
        {
            classifier?.Dispose();
            throw;
        }
    }

    // The first forward pass chooses kernels and touches every weight; it must not be a caller's. It takes its turn with
    // the model that serves.
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

    private void Remember(ModelManifest manifest, IReadOnlyDictionary<string, string> stored, string sentence)
    {
        lock (_lock) _refused[manifest.Version] =
            new Refusal(manifest.Digest, stored, sentence, time.GetUtcNow() + options.RetryDamagedAfter);
    }

    private string? ReasonAgainst(ModelManifest manifest, IReadOnlyDictionary<string, string> stored)
    {
        lock (_lock)
        {
            return _refused.TryGetValue(manifest.Version, out var refusal) && refusal.Digest == manifest.Digest
                && refusal.Until > time.GetUtcNow()
                && manifest.Files.All(file => refusal.ETags.GetValueOrDefault(file.Name) == stored.GetValueOrDefault(file.Name))
                ? refusal.Sentence
                : null;
        }
    }

    private string NewFolder()
    {
        if (options.TemporaryFolder is null) return Directory.CreateTempSubdirectory("sbert-model-").FullName;
        return Directory.CreateDirectory(Path.Combine(options.TemporaryFolder, "sbert-model-" + Path.GetRandomFileName())).FullName;
    }

    private void RequireSpace(ModelManifest manifest, string folder)
    {
        long free = new DriveInfo(folder).AvailableFreeSpace;
        if (free < manifest.Length + options.SpareBytes)
        {
            throw new IOException(
                $"it needs {manifest.Length:N0} bytes in {Path.GetDirectoryName(folder)}, and {free:N0} are free; "
                + $"make room, or set {ModelCacheOptions.Section}:TemporaryFolder to another disk.");
        }
    }

    private sealed record Refusal(string Digest, IReadOnlyDictionary<string, string> ETags, string Sentence, DateTimeOffset Until);
}

/// <summary>Makes a classifier of a checkpoint folder, which is deleted afterwards.</summary>
/// <param name="folder">The folder.</param>
/// <param name="decided">The dtype that was decided for the version; null leaves it to the settings, and to a measurement where
/// they do.</param>
public delegate IReviewClassifier LoadClassifier(string folder, InferenceDtype? decided);

/// <summary>What the cache holds of a model.</summary>
public interface IReviewClassifier : IDisposable
{
    /// <summary>The dtype that it computes in, such as bfloat16.</summary>
    string Dtype { get; }

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
    public string Dtype => classifier.Dtype;

    /// <inheritdoc/>
    public IReadOnlyList<EncodedText> Tokenize(IReadOnlyList<string> texts) => classifier.Tokenize(texts);

    /// <inheritdoc/>
    public IReadOnlyList<Classification> Classify(IReadOnlyList<EncodedText> texts, CancellationToken cancellationToken = default) =>
        classifier.Classify(texts, cancellationToken);

    /// <inheritdoc/>
    public void Dispose() => classifier.Dispose();
}
