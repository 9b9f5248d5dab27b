using ServerlessBert.Testing;

namespace ServerlessBert.Pipeline.Tests;

/// <summary>The tests on storage share one Azurite; each has containers and queues of its own.</summary>
[CollectionDefinition(Name)]
public sealed class AzuriteCollection : ICollectionFixture<AzuriteFixture>
{
    public const string Name = "azurite";
}
