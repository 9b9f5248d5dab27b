using NuGet.Common;
using NuGet.Configuration;
using NuGet.Packaging;
using NuGet.Packaging.Core;
using NuGet.Packaging.Signing;
using NuGet.Protocol.Core.Types;
using NuGet.Versioning;

namespace ServerlessBert.Cli.HuggingFace;

/// <summary>Gets a package as NuGet does: from its own folder on this machine, else from the sources that nuget.config names, in their
/// order.</summary>
internal static class PackageDownload
{
    /// <summary>Gets a package, and checks that it is the one and whole.</summary>
    /// <param name="settings">NuGet's: its sources and its own folder.</param>
    /// <param name="id">The package's id.</param>
    /// <param name="version">Its version.</param>
    /// <param name="scratch">Where a download goes.</param>
    /// <param name="log">Takes a line for a download.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>The path of the .nupkg.</returns>
    /// <exception cref="ImportException">No source has it, none answers, or what came is damaged.</exception>
    public static async Task<string> FetchAsync(ISettings settings, string id, NuGetVersion version, string scratch, Action<string> log,
        CancellationToken cancellationToken)
    {
        string kept = new VersionFolderPathResolver(SettingsUtility.GetGlobalPackagesFolder(settings)).GetPackageFilePath(id, version);
        string path = File.Exists(kept) ? kept : await DownloadAsync(settings, id, version, scratch, log, cancellationToken);
        await CheckAsync(path, new PackageIdentity(id, version), cancellationToken);
        return path;
    }

    private static async Task<string> DownloadAsync(ISettings settings, string id, NuGetVersion version, string scratch, Action<string> log,
        CancellationToken cancellationToken)
    {
        var provider = new SourceRepositoryProvider(new PackageSourceProvider(settings), Repository.Provider.GetCoreV3());
        string path = Path.Combine(scratch, $"{id}.{version.ToNormalizedString()}.nupkg");
        List<string> faults = [];
        foreach (SourceRepository source in provider.GetRepositories())
        {
            log($"looking for {id} {version} in {source.PackageSource.Name}");
            try
            {
                using var cache = new SourceCacheContext { DirectDownload = true };
                FindPackageByIdResource packages = await source.GetResourceAsync<FindPackageByIdResource>(cancellationToken)
                    ?? throw new FatalProtocolException("it is not a package source");
                using FileStream file = File.Create(path);
                if (await packages.CopyNupkgToStreamAsync(id, version, file, cache, NullLogger.Instance, cancellationToken)) return path;
                faults.Add($"{source.PackageSource.Name} does not have it");
            }
            catch (FatalProtocolException exception)
            {
                faults.Add($"{source.PackageSource.Name} does not answer ({(exception.InnerException ?? exception).Message.TrimEnd('.')})");
            }
        }
        throw new ImportException(faults.Count == 0
            ? $"No package source is configured, so {id} {version} cannot be fetched; add one with: dotnet nuget add source."
            : $"{id} {version} cannot be fetched: {string.Join("; ", faults)}.");
    }

    // A signed package carries the hash of its own content; NuGet's folder, that of what came from the source.
    private static async Task CheckAsync(string path, PackageIdentity identity, CancellationToken cancellationToken)
    {
        try
        {
            using var package = new PackageArchiveReader(path);
            PackageIdentity actual = await package.GetIdentityAsync(cancellationToken);
            if (!actual.Equals(identity)) throw new PackagingException($"it is {actual.Id} {actual.Version}");
            if (await package.GetPrimarySignatureAsync(cancellationToken) is { } signature)
                await package.ValidateIntegrityAsync(signature.SignatureContent, cancellationToken);
            string metadata = Path.Combine(Path.GetDirectoryName(path)!, PackagingCoreConstants.NupkgMetadataFileExtension);
            if (File.Exists(metadata) && NupkgMetadataFileFormat.Read(metadata).ContentHash is { } expected
                && expected != package.GetContentHash(cancellationToken))
                throw new PackagingException("its content is not what its hash says");
        }
        catch (Exception exception) when (exception is PackagingException or SignatureException or InvalidDataException)
        {
            throw new ImportException(
                $"{path} is not {identity.Id} {identity.Version}, or is damaged ({exception.Message.TrimEnd('.')}); delete it and run "
                + "the same command again.", exception);
        }
    }
}
