namespace ServerlessBert.Cli.Hub;

/// <summary>A model that is here, whole.</summary>
/// <param name="Name">Its name on the hub.</param>
/// <param name="Revision">The revision that was asked for.</param>
/// <param name="Commit">The commit that it was.</param>
/// <param name="Folder">The checkpoint folder.</param>
/// <param name="Files">Its files.</param>
internal sealed record PulledModel(string Name, string Revision, string Commit, string Folder, IReadOnlyList<PulledFile> Files);

/// <summary>A file of it.</summary>
/// <param name="Name">Its name in the folder.</param>
/// <param name="Bytes">Its length.</param>
/// <param name="Sha256">The hash that it was checked against; none where the hub gives none.</param>
/// <param name="Fetched">Whether it came now; else it was here.</param>
internal sealed record PulledFile(string Name, long Bytes, string? Sha256, bool Fetched);
