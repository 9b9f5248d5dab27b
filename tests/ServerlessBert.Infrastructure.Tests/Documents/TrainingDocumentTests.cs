using System.Text.RegularExpressions;
using ServerlessBert.Pipeline.Retraining;
using ServerlessBert.Trainer;

namespace ServerlessBert.Infrastructure.Tests;

public sealed class TrainingDocumentTests
{
    private static readonly string Document = Repository.Read("docs", "training.md");

    [Fact]
    public void A_requests_fields_beside_the_training_options_are_exactly_its_table()
    {
        var documented = MarkdownTable.Rows(Document, "Field")
            .SelectMany(row => Regex.Matches(row[0], "`(\\w+)`").Select(match => match.Groups[1].Value));
        Assert.Equal(TrainingRequestRules.OwnFields.Order(StringComparer.Ordinal), documented.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Each_setting_of_the_trainer_that_it_names_is_one()
    {
        var named = Regex.Matches(Document, @"ServerlessBert__Trainer__(\w+)").Select(match => match.Groups[1].Value).Distinct().ToList();
        Assert.NotEmpty(named);
        Assert.All(named, name => Assert.NotNull(typeof(TrainerOptions).GetProperty(name)));
    }
}
