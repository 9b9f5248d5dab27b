using ServerlessBert.Testing;

namespace ServerlessBert.LocalHost.Tests;

/// <summary>The host's tests share one Azurite; each has queues of its own.</summary>
[CollectionDefinition(Name)]
public sealed class AzuriteCollection : ICollectionFixture<AzuriteFixture>
{
    public const string Name = "azurite";
}
