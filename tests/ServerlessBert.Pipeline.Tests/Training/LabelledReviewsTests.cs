using System.Text;
using ServerlessBert.Modeling;
using ServerlessBert.Pipeline.Reviews;
using ServerlessBert.Pipeline.Training;

namespace ServerlessBert.Pipeline.Tests.Training;

public sealed class LabelledReviewsTests
{
    [Fact]
    public async Task A_later_row_of_the_same_id_takes_the_earlier_ones_place()
    {
        var reviews = new LabelledReviews();
        await AddAsync(reviews, """{"id":"a","text":"good","stars":1}""", """{"text":"no id","stars":3}""", """{"id":7,"text":"fine","stars":4}""");
        int corrections = await AddAsync(reviews, """{"id":"a","text":"very good","stars":5}""", """{"id":"7","text":"fine","stars":3}""", """{"id":"new","text":"more","stars":2}""");

        Assert.Equal([new("very good", 4), new("no id", 2), new("fine", 2), new("more", 1)], reviews.Rows);
        Assert.Equal((3, 2L), (corrections, reviews.Corrections));
    }

    [Fact]
    public async Task A_correction_without_a_text_takes_the_text_that_the_id_had()
    {
        var reviews = new LabelledReviews();
        await AddAsync(reviews, """{"id":"a","text":"good","stars":1}""");
        await AddAsync(reviews, """{"id":"a","stars":5}""", """{"id":"unknown","stars":5}""", """{"stars":5}""");

        Assert.Equal([new LabelledReview("good", 4)], reviews.Rows);
        Assert.Equal((1L, 1L, 1L), (reviews.Corrections, reviews.UnknownIds, reviews.Errors));
    }

    [Fact]
    public async Task Rows_beyond_what_memory_holds_are_refused_with_what_to_do()
    {
        var reviews = new LabelledReviews(maxBytes: 10_000);

        var refusal = await Assert.ThrowsAsync<TrainingException>(() => AddAsync(reviews, [.. Enumerable.Range(0, 100).Select(row => $$"""{"text":"review {{row}}","stars":5}""")]));

        Assert.Contains("fewer files", refusal.Message);
    }

    private static async Task<int> AddAsync(LabelledReviews reviews, params string[] lines) =>
        await reviews.AddAsync(new MemoryStream(Encoding.UTF8.GetBytes(string.Join('\n', lines))), "a.jsonl", new ReviewOptions());
}
