using ServerlessBert.Reviews.Files;

namespace ServerlessBert.Reviews.Tests;

public sealed class DelimitedTests
{
    [Theory]
    [InlineData("id,text\nr1,\"a, \"\"b\"\"\"\n", "a, \"b\"")]
    [InlineData("id,text\nr1,\"a\nb\r\nc\rd\"\n", "a\nb\r\nc\rd")]
    [InlineData("id,text\nr1,the 12\" pizza\n", "the 12\" pizza")]
    [InlineData("id,text\nr1, \"a\"\n", " \"a\"")]
    [InlineData("id,text\r\nr1,a\r\n", "a")]
    [InlineData("id,text\rr1,a\r", "a")]
    [InlineData("id,text\nr1,a", "a")]
    [InlineData("\uFEFFid,text\nr1,a", "a")]
    [InlineData("\uFEFF\"id\",\"text\"\nr1,a", "a")]
    [InlineData("\n \t\n\"ID\", Text \n\nr1,a\n\n", "a")]
    [InlineData("text,id,more\na,r1\n", "a")]
    [InlineData("text,id\na,r1,, ,\n", "a")]
    public async Task A_field_is_read_as_RFC_4180_says(string content, string text)
    {
        Review review = Assert.Single(await ReviewFiles.ReadAsync(content, ReviewFormat.Csv));
        Assert.Equal(new Review { Row = 0, Id = "r1", Text = text }, review);
    }

    [Fact]
    public async Task Tabs_separate_the_fields_of_TSV_and_commas_are_text()
    {
        Review review = Assert.Single(await ReviewFiles.ReadAsync("stars\ttext\tid\n4\t\"a,\tb\"\tr1\n", ReviewFormat.Tsv));
        Assert.Equal(new Review { Row = 0, Id = "r1", Text = "a,\tb", Stars = 4 }, review);
    }

    [Fact]
    public async Task A_TSV_line_of_tabs_is_a_row_of_empty_fields()
    {
        List<Review> reviews = await ReviewFiles.ReadAsync("id\ttext\n\t\n  \nr1\ta\n", ReviewFormat.Tsv);
        Assert.Equal(["empty_text", null], reviews.Select(review => review.Error?.Code));
    }

    [Theory]
    [InlineData("\"5\",\"dr. goldberg\"\n\"1\",\"bad\"\n")]
    [InlineData("5,dr. goldberg\r\n1,bad")]
    public async Task Two_columns_without_a_header_are_stars_and_text(string content)
    {
        List<Review> reviews = await ReviewFiles.ReadAsync(content, ReviewFormat.Csv);
        Assert.Equal([(5, "dr. goldberg"), (1, "bad")], reviews.Select(review => (review.Stars ?? 0, review.Text)));
    }

    [Theory]
    [InlineData("review,rating\na,5\n", 5)]
    [InlineData("label,text\n0,a\n", 1)]
    [InlineData("label,text,stars\n0,a,3.0\n", 3)]
    [InlineData("label,text,stars\n4,a,\n", 5)]
    [InlineData("text,stars\na,\n", null)]
    [InlineData("text,stars\na\n", null)]
    public async Task A_rating_is_read_from_the_columns_that_have_its_names(string content, int? stars)
    {
        Review review = Assert.Single(await ReviewFiles.ReadAsync(content, ReviewFormat.Csv));
        Assert.Equal(("a", stars, null), (review.Text, review.Stars, review.LabelError));
    }

    [Fact]
    public async Task A_bad_rating_costs_the_row_its_label_and_not_its_prediction()
    {
        Review review = Assert.Single(await ReviewFiles.ReadAsync("text,stars\na,ten\n", ReviewFormat.Csv));
        Assert.Equal(("a", null, null), (review.Text, review.Stars, review.Error));
        Assert.Equal(new RowError("invalid_stars", "Row 0 (byte 11) has the stars 'ten'; write a whole number from 1 to 5."),
            review.LabelError);
    }

    [Fact]
    public async Task A_ragged_row_keeps_its_place_as_an_error()
    {
        List<Review> reviews = await ReviewFiles.ReadAsync("id,stars,text\nr1\nr2,5,b\nr3,4,\" \"\n", ReviewFormat.Csv);
        Assert.Equal(["missing_text", null, "empty_text"], reviews.Select(review => review.Error?.Code));
        Assert.Equal(["r1", "r2", "r3"], reviews.Select(review => review.Id));
        Assert.Equal("Row 0 (byte 14) has 1 of the 3 columns needed to reach its text; give each row the header's columns, and "
            + "quote text with line breaks.", reviews[0].Error!.Message);
    }

    [Theory]
    [InlineData(new byte[] { 0xff, 0xfe, (byte)'a' }, "\uFFFD\uFFFDa", 2)]
    [InlineData(new byte[] { (byte)'"', 0xe9, (byte)'"' }, "\uFFFD", 1)]
    public async Task Malformed_UTF_8_is_replaced_and_counted(byte[] record, string text, int invalid)
    {
        Review review = Assert.Single(
            await ReviewFiles.ReadAsync([.. "text\n"u8, .. record], ReviewFormat.Csv, new ReviewOptions { Encoding = "utf-8" }));
        Assert.Equal((text, invalid), (review.Text, review.InvalidUtf8));
    }

    [Fact]
    public async Task A_quote_that_is_never_closed_is_one_error_row_that_names_where_it_opened()
    {
        string rest = string.Concat(Enumerable.Repeat("r3,c\n", 1000));
        ReviewFilePlan plan = await ReviewFiles.SplitAsync(ReviewFiles.Utf8("id,text\nr1,a\nr2,\"b\n" + rest), ReviewFormat.Csv);
        Assert.Equal(2, plan.Rows);
        Assert.Equal("unclosed_quote", plan.Batches[1].Error!.Code);
        Assert.StartsWith(
            "Row 1 (byte 13) opens a quote at byte 16 that is never closed", plan.Batches[1].Error!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_without_a_text_column_is_refused_with_the_columns_found_and_accepted()
    {
        ReviewFileException refusal = await ReviewFiles.RefusalOfAsync("id, remark ,stars\nr1,a,5\n", ReviewFormat.Csv);
        Assert.Equal("no_text_column", refusal.Code);
        Assert.Equal("The file's first record has the columns 'id', 'remark', 'stars', none of which is the text; name one text, "
            + "review, review_text, review_body, review_content, reviews.text, content, body, comment or comments, or give two "
                + "columns without a header, stars from 1 to 5 and text.", refusal.Message);
    }

    [Fact]
    public async Task What_a_refusal_quotes_is_short_and_steers_no_terminal()
    {
        ReviewFileException refusal =
            await ReviewFiles.RefusalOfAsync(
            "\u001b[2J," + new string('x', 1000) + string.Concat(Enumerable.Repeat(",a", 30)), ReviewFormat.Csv);
        Assert.DoesNotContain('\u001b', refusal.Message);
        Assert.Contains("and 12 more", refusal.Message, StringComparison.Ordinal);
        Assert.InRange(refusal.Message.Length, 0, 500);
    }

    [Fact]
    public async Task A_header_with_an_unclosed_quote_is_refused() =>
        Assert.Equal("unclosed_quote", (await ReviewFiles.RefusalOfAsync("id,\"text\nr1,a\n", ReviewFormat.Csv)).Code);

    [Fact]
    public async Task A_header_beyond_the_longest_record_is_refused() =>
        Assert.Equal("header_too_long",
            (await ReviewFiles.RefusalOfAsync("id,\"text\n" + new string('x', 3_000_000), ReviewFormat.Csv)).Code);
}
