using ServerlessBert.Testing;

// One training at a time: each uses every core, and torch's random generator belongs to the process.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
namespace ServerlessBert.Trainer.Tests;

/// <summary>The tests that share one Azurite.</summary>
[CollectionDefinition(Name)]
public sealed class AzuriteCollection : ICollectionFixture<AzuriteFixture>
{
    public const string Name = "Azurite";
}
