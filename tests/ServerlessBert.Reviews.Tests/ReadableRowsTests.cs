namespace ServerlessBert.Reviews.Tests;

public class ReadableRowsTests
{
    private static readonly Review[] Rows =
    [
        new() { Row = 0, Text = "first" }, new() { Row = 1, Error = new RowError("missing_text", "…") }, new() { Row = 2, Text = "third" },
    ];

    [Fact]
    public void Answers_stand_at_their_rows_and_a_row_with_an_error_has_none()
    {
        var readable = new ReadableRows(Rows);

        Assert.Equal(["first", "third"], readable.Texts);
        Assert.Equal("1,,3", string.Join(',', readable.Align(["1", "3"])));
    }

    [Fact]
    public void Answers_that_are_not_as_many_as_the_texts_are_refused() =>
        Assert.Throws<ArgumentException>(() => new ReadableRows(Rows).Align(["1"]));
}
