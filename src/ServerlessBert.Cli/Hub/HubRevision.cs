namespace ServerlessBert.Cli.Hub;

/// <summary>A revision of a model, resolved to the commit that it names now, so that every file is of that one.</summary>
/// <param name="Model">The model.</param>
/// <param name="Revision">The branch, tag or commit that was asked for.</param>
/// <param name="Commit">The commit that it is.</param>
/// <param name="Files">The paths of its files.</param>
internal sealed record HubRevision(ModelName Model, string Revision, string Commit, IReadOnlySet<string> Files);
