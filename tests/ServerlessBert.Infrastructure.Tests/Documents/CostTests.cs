using System.Globalization;

namespace ServerlessBert.Infrastructure.Tests;

/// <summary>The document's arithmetic, done again from its own price list, the template's sizes and the measured speed.</summary>
public sealed class CostTests
{
    private static readonly string Document = Repository.Read("docs", "deploy.md");
    private static readonly Dictionary<string, decimal> Prices = MarkdownTable.Rows(Document, "Price")
        .ToDictionary(row => row[0], row => Number(row[1]));
    private static readonly Dictionary<string, string> Results = MarkdownTable.Rows(Document, "What")
        .ToDictionary(row => row[0], row => row[2].Trim('*'));
    private static readonly MonthlyCost Cost = new(Prices);

    [Fact]
    public void An_idle_month()
    {
        MustBe(Cost.Compute(MonthlyCost.TimerSeconds), "timers");
        MustBe(Cost.Registry, "registry");
        MustBe(Cost.IdleLogs + Cost.Alerts, "logs, 0.1 GB, and seven alerts");
        MustBe(Cost.IdleStorage, "storage of a model and some files, scalers' questions");
        MustBe(Cost.Compute(MonthlyCost.TimerSeconds) + Cost.Idle, "**Idle**, a month");
    }

    [Fact]
    public void A_million_reviews()
    {
        MustBe(MonthlyCost.ReplicaSeconds(1_000_000, "int8") * Cost.ReplicaSecond, "**A million reviews**, in int8");
        MustBe(MonthlyCost.ReplicaSeconds(1_000_000, "float32") * Cost.ReplicaSecond, "… in float32, on older processors");
        MustBe(Cost.CallsAndLogs(1_000_000), "… their storage, its calls, and logs");
    }

    [Fact]
    public void A_training()
    {
        MustBe(Cost.TrainingHourOnT4, "**Training**, an hour on a T4");
        MustBe(Cost.TrainingHourOnProcessors, "… on 4 vCPU");
        int hours = Bicep.Template.Parameter("trainingMaxHours").GetProperty("defaultValue").GetInt32() + 1;
        int attempts = Bicep.Template.Parameter("trainingMaxAttempts").GetProperty("defaultValue").GetInt32();
        MustBe(attempts * hours * Cost.TrainingHourOnT4, "… at the very most for a request, on a T4");
    }

    [Fact]
    public void A_private_network() => MustBe(2 * 730 * Prices["private endpoint, an hour"], "**Private network**, a month, beside that");

    [Fact]
    public void A_month_by_its_reviews_its_dtype_and_its_trainings()
    {
        var computed =
            from dtype in (string[])["int8", "float32"]
            from reviews in (decimal[])[1_000, 100_000, 10_000_000]
            let month = Cost.Month(reviews, dtype)
            select string.Create(CultureInfo.InvariantCulture,
                $"{reviews:N0} in {dtype} | {MonthlyCost.ReplicaSeconds(reviews, dtype) / 3600:N1} h | {month:N2} | "
                    + $"{month + Cost.WeeklyOnProcessors:N2} | {month + Cost.WeeklyOnT4:N2}");
        Assert.Equal(string.Join('\n', computed),
            string.Join('\n', MarkdownTable.Rows(Document, "Reviews a month").Select(row => string.Join(" | ", row))));
    }

    [Theory]
    [InlineData("int8")]
    [InlineData("bfloat16")]
    [InlineData("float32")]
    public void The_speed_that_it_reckons_with_is_the_measured_one(string dtype) => Assert.Equal(
        MonthlyCost.ReviewsPerCoreSecond(dtype).ToString("0.0", CultureInfo.InvariantCulture),
        MarkdownTable.Rows(Document, "Reviews a core and second").Single(row => row[0] == dtype)[1]);

    [Fact]
    public void Its_replica_is_the_templates()
    {
        var resources = Bicep.Template.Module("functions").Symbol("app").At("properties.template.containers")[0].GetProperty("resources");
        Assert.Equal((4, "8Gi"), (resources.GetProperty("cpu").GetInt32(), resources.GetProperty("memory").GetString()));
    }

    [Fact]
    public void Its_timers_are_the_templates()
    {
        Assert.Equal(("0 */6 * * *", "2 */6 * * *"), (Default("wakeStart"), Default("wakeEnd")));
        Assert.Equal(30 * 4 * (120 + 300), MonthlyCost.TimerSeconds);

        static string? Default(string parameter) => Bicep.Template.Parameter(parameter).GetProperty("defaultValue").GetString();
    }

    private static void MustBe(decimal computed, string row) =>
        Assert.Equal(computed.ToString("0.00", CultureInfo.InvariantCulture), Results[row]);

    private static decimal Number(string text) => decimal.Parse(text, CultureInfo.InvariantCulture);
}
