using System.Text;
using ServerlessBert.Modeling;
using ServerlessBert.Modeling.Training;
using ServerlessBert.Pipeline.Retraining;
using ServerlessBert.Reviews;

namespace ServerlessBert.Pipeline.Tests.Retraining;

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

        var refusal = await Assert.ThrowsAsync<TrainingException>(
            () => AddAsync(reviews, [.. Enumerable.Range(0, 100).Select(row => $$"""{"text":"review {{row}}","stars":5}""")]));

        Assert.Contains("fewer files", refusal.Message);
    }

    private static async Task<int> AddAsync(LabelledReviews reviews, params string[] lines) =>
        await reviews.AddAsync(new MemoryStream(Encoding.UTF8.GetBytes(string.Join('\n', lines))), "a.jsonl", new ReviewOptions());

    [Fact]
    public async Task Labels_from_0_to_4_are_Hugging_Faces_and_it_is_said()
    {
        LabelledReviews reviews = await ReadAsync("a.csv", "label,text\n0,bad\n4,great\n2,okay\n");

        Assert.Equal([0, 4, 2], reviews.Rows.Select(row => row.Label));
        Assert.Contains(reviews.Remarks, remark => remark.Contains("from 0, as Hugging Face's do"));
    }

    [Theory]
    [InlineData("a.csv", "label,text\n1,bad\n5,great\n3,okay\n")]
    [InlineData("a.jsonl", """
        {"label":1,"text":"bad"}
        {"label":5,"text":"great"}
        {"label":3,"text":"okay"}
        """)]
    public async Task Labels_with_a_5_and_no_0_count_from_1_and_it_is_said(string name, string content)
    {
        LabelledReviews reviews = await ReadAsync(name, content);

        Assert.Equal([0, 4, 2], reviews.Rows.Select(row => row.Label));
        Assert.Equal("bad", reviews.Rows[0].Text);
        Assert.Contains(reviews.Remarks, remark => remark.Contains("from 1, as stars do"));
    }

    [Fact]
    public async Task A_5_beside_a_0_is_out_of_range_and_its_place_is_said()
    {
        LabelledReviews reviews = await ReadAsync("a.csv", "label,text\n0,bad\n5,great\n9,what\n");

        Assert.Equal([0], reviews.Rows.Select(row => row.Label));
        Assert.Equal(2, reviews.OutOfRange);
        Assert.Contains(
            reviews.Remarks, remark =>
            remark.StartsWith("left out: 2 rows with a rating out of range; the first: a.csv", StringComparison.Ordinal)
            && remark.Contains("has the label", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Stars_are_stars_and_rows_without_a_rating_are_counted()
    {
        LabelledReviews reviews = await ReadAsync("a.csv", "stars,text\n1,bad\n,nothing\n5,great\n7,more\n,none\n");

        Assert.Equal([0, 4], reviews.Rows.Select(row => row.Label));
        Assert.Equal((2, 1), (reviews.Unlabelled, reviews.OutOfRange));
        Assert.Contains("a.csv: ratings are stars, from 1 to 5", reviews.Remarks);
        Assert.Contains(reviews.Remarks, remark => remark.StartsWith("left out: 2 rows without a rating", StringComparison.Ordinal));
        Assert.Equal([1, 0, 0, 0, 1], reviews.Histogram());
    }

    [Fact]
    public async Task Each_file_counts_its_labels_in_its_own_way()
    {
        var reviews = new LabelledReviews();
        await reviews.AddAsync(new MemoryStream(Encoding.UTF8.GetBytes("label,text\n0,bad\n4,great\n")), "a.csv", new ReviewOptions());
        await reviews.AddAsync(new MemoryStream(Encoding.UTF8.GetBytes("label,text\n1,bad\n5,great\n")), "b.csv", new ReviewOptions());

        Assert.Equal([0, 4, 0, 4], reviews.Rows.Select(row => row.Label));
    }

    private static async Task<LabelledReviews> ReadAsync(string name, string content)
    {
        var reviews = new LabelledReviews();
        await reviews.AddAsync(new MemoryStream(Encoding.UTF8.GetBytes(content)), name, new ReviewOptions());
        return reviews;
    }
}
