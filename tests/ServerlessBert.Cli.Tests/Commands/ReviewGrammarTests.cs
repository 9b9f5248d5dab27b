using ServerlessBert.Cli.Commands;

namespace ServerlessBert.Cli.Tests.Commands;

public class ReviewGrammarTests
{
    private static IReadOnlyList<(string Text, int Stars)> Reviews(int seed, int count = 2000)
    {
        var grammar = new ReviewGrammar(seed);
        return [.. Enumerable.Range(0, count).Select(_ => grammar.Next())];
    }

    [Fact]
    public void The_same_seed_writes_the_same_reviews_and_another_seed_others()
    {
        Assert.Equal(Reviews(1), Reviews(1));
        Assert.NotEqual(Reviews(1), Reviews(2));
    }

    [Fact]
    public void Every_rating_has_its_share() =>
        Assert.All(Enumerable.Range(1, 5), stars => Assert.InRange(Reviews(1).Count(review => review.Stars == stars), 150, 800));

    [Fact]
    public void Words_alone_do_not_tell_the_rating()
    {
        // What a strong word promises is often taken back or weighed down.
        var superb = Reviews(1).Where(review => review.Text.Contains("superb", StringComparison.Ordinal)).ToList();

        Assert.InRange(superb.Count(review => review.Stars == 5) / (double)superb.Count, 0.1, 0.6);
        Assert.Contains(superb, review => review.Stars == 1);
    }

    [Fact]
    public void Reviews_rarely_repeat() => Assert.True(Reviews(1).Select(review => review.Text).Distinct().Count() > 1950);
}
