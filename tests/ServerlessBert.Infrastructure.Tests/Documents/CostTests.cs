using System.Globalization;

namespace ServerlessBert.Infrastructure.Tests;

/// <summary>The document's arithmetic, done again from its own price list and the template's sizes.</summary>
public sealed class CostTests
{
    private static readonly string Document = Repository.Read("docs", "deploy.md");
    private static readonly Dictionary<string, decimal> Prices = MarkdownTable.Rows(Document, "Price").ToDictionary(row => row[0], row => Number(row[1]));
    private static readonly Dictionary<string, string> Results = MarkdownTable.Rows(Document, "What").ToDictionary(row => row[0], row => row[2].Trim('*'));

    private static decimal ReplicaSecond => 4 * Prices["vCPU, a second while active"] + 8 * Prices["GiB of memory, a second while active"];

    private static decimal TrainingHour => 3600 * (8 * Prices["vCPU, a second while active"] + 56 * Prices["GiB of memory, a second while active"] + Prices["T4, a second"]);

    [Fact]
    public void An_idle_month()
    {
        const decimal awake = 4 * (2 + 5) * 60 * 30;
        decimal timers = (4 * awake - 180_000) * Prices["vCPU, a second while active"] + (8 * awake - 360_000) * Prices["GiB of memory, a second while active"];
        decimal registry = 30 * Prices["registry, Basic, a day"];
        decimal logs = 0.1m * Prices["Log Analytics, a GB"] + 3 * Prices["log alert of 15 minutes, a month"];
        decimal storage = 2 * Prices["a GB stored, a month"] + 4 * 2 * 43_200 * Prices["10,000 queue calls"] / 10_000;
        MustBe(timers, "timers");
        MustBe(registry, "registry");
        MustBe(logs, "logs, 0.1 GB, and three alerts");
        MustBe(storage, "storage of a model and some files, scalers' questions");
        MustBe(timers + registry + logs + storage, "**Idle**, a month");
    }

    [Fact]
    public void A_million_reviews()
    {
        MustBe(1_000_000 / 10m * ReplicaSecond, "… with R = 10, an assumption");
        decimal batches = Math.Ceiling(1_000_000 / 128m);
        MustBe(batches * 3 * Prices["10,000 blob writes"] / 10_000 + batches * 6 * 1.5e-6m * Prices["Log Analytics, a GB"], "… their storage calls and logs");
    }

    [Fact]
    public void A_training()
    {
        MustBe(TrainingHour, "**Training**, an hour on a T4");
        int hours = Bicep.Template.Parameter("trainingMaxHours").GetProperty("defaultValue").GetInt32() + 1;
        int attempts = Bicep.Template.Parameter("trainingMaxAttempts").GetProperty("defaultValue").GetInt32();
        MustBe(attempts * hours * TrainingHour, "… at the very most for a request");
    }

    [Fact]
    public void A_private_network() => MustBe(2 * 730 * Prices["private endpoint, an hour"], "**Private network**, a month, beside that");

    [Fact]
    public void Its_replica_is_the_templates()
    {
        var resources = Bicep.Template.Resource("Microsoft.App/containerApps").At("properties.template.containers")[0].GetProperty("resources");
        Assert.Equal((4, "8Gi"), (resources.GetProperty("cpu").GetInt32(), resources.GetProperty("memory").GetString()));
    }

    private static void MustBe(decimal computed, string row) => Assert.Equal(computed.ToString("0.00", CultureInfo.InvariantCulture), Results[row]);

    private static decimal Number(string text) => decimal.Parse(text, CultureInfo.InvariantCulture);
}
