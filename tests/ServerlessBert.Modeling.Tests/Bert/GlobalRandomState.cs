namespace ServerlessBert.Modeling.Tests.Bert;

/// <summary>Tests that seed torch's global generator run alone: another test's draw in between would move their numbers.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class GlobalRandomState
{
    public const string Name = "torch's global random state";
}
