using System.Text;

namespace ServerlessBert.Reviews.Tests;

public sealed class JsonLinesTests
{
    [Fact]
    public async Task A_line_is_a_review_with_its_id_and_stars()
    {
        Review review = await OneAsync("""{"text":"Good.","id":"r1","stars":5}""");
        Assert.Equal(new Review { Row = 0, Id = "r1", Text = "Good.", Stars = 5 }, review);
    }

    [Theory]
    [InlineData("""{"TEXT":"a"}""")]
    [InlineData("""{"Review":"a"}""")]
    [InlineData("""{"review_text":"a","other":[{"text":"no"}]}""")]
    [InlineData("""{"review":"no","text":"a","review_text":"no"}""")]
    [InlineData("""{"text":"no","text":"a"}""")]
    [InlineData("""{"text":"a","review":"no"}""")]
    [InlineData("""{"text":null,"review":"a"}""")]
    [InlineData("  \t{ \"text\" : \"a\" }\r")]
    [InlineData("""{"te\u0078t":"\u0061"}""")]
    public async Task The_text_has_any_accepted_name_and_the_first_listed_wins(string line) =>
        Assert.Equal("a", (await OneAsync(line)).Text);

    [Fact]
    public async Task Field_names_are_configurable()
    {
        var options = new ReviewOptions { TextFields = ["body"], IdFields = ["key"], StarsFields = ["score"], LabelFields = ["class"] };
        Review review = (await ReviewFiles.ReadAsync("""{"body":"x","key":1,"score":2,"text":"no"}""", ReviewFormat.JsonLines, options)).Single();
        Assert.Equal(("x", "1", 2), (review.Text, review.Id, review.Stars));
    }

    [Theory]
    [InlineData("\"r1\"", "r1")]
    [InlineData("12345678901234567890123", "12345678901234567890123")]
    [InlineData("\"\"", null)]
    [InlineData("null", null)]
    [InlineData("true", null)]
    [InlineData("{\"a\":1}", null)]
    [InlineData("\"é😀\"", "é😀")]
    public async Task An_id_is_a_string_or_a_number_as_written(string json, string? id) =>
        Assert.Equal(id, (await OneAsync($$"""{"id":{{json}},"text":"a"}""")).Id);

    [Theory]
    [InlineData("\"stars\":1", 1)]
    [InlineData("\"stars\":4.0", 4)]
    [InlineData("\"stars\":\"3\"", 3)]
    [InlineData("\"stars\":\" 2.0 \"", 2)]
    [InlineData("\"rating\":5e0", 5)]
    [InlineData("\"label\":0", 1)]
    [InlineData("\"label\":\"4\"", 5)]
    [InlineData("\"label\":0,\"stars\":3", 3)]
    [InlineData("\"stars\":null,\"label\":2", 3)]
    [InlineData("\"stars\":\"\"", null)]
    [InlineData("\"other\":1", null)]
    [InlineData("\"stars\":\"NaN\"", null)]
    [InlineData("\"stars\":NaN", null)]
    [InlineData("\"stars\":-Infinity", null)]
    [InlineData("\"stars\":NaN,\"label\":2", 3)]
    [InlineData("\"label\":0,\"score\":0.98", 1)]
    [InlineData("\"score\":4", 4)]
    public async Task A_rating_is_stars_from_1_or_a_label_from_0(string property, int? stars)
    {
        Review review = await OneAsync($$"""{{{property}},"text":"a"}""");
        Assert.Equal((stars, null), (review.Stars, review.LabelError));
    }

    [Theory]
    [InlineData("\"stars\":0", "invalid_stars")]
    [InlineData("\"stars\":6", "invalid_stars")]
    [InlineData("\"stars\":4.5", "invalid_stars")]
    [InlineData("\"stars\":1e300", "invalid_stars")]
    [InlineData("\"stars\":\"good\"", "invalid_stars")]
    [InlineData("\"stars\":[1]", "invalid_stars")]
    [InlineData("\"stars\":true", "invalid_stars")]
    [InlineData("\"label\":5", "invalid_label")]
    [InlineData("\"label\":-1", "invalid_label")]
    public async Task A_bad_rating_costs_the_row_its_label_and_not_its_prediction(string property, string code)
    {
        Review review = await OneAsync($$"""{"text":"a",{{property}}}""");
        Assert.Equal(("a", null, null, code), (review.Text, review.Error, review.Stars, review.LabelError?.Code));
    }

    [Theory]
    [InlineData("{\"id\":\"r1\"}", "missing_text")]
    [InlineData("{\"id\":\"r1\",\"text\":null}", "missing_text")]
    [InlineData("{\"id\":\"r1\",\"text\":\"\"}", "empty_text")]
    [InlineData("{\"id\":\"r1\",\"text\":\" \\n\\u00a0\"}", "empty_text")]
    [InlineData("{\"id\":\"r1\",\"text\":5}", "invalid_text")]
    [InlineData("{\"id\":\"r1\",\"text\":[\"a\"]}", "invalid_text")]
    public async Task A_row_without_text_keeps_its_place_and_id_as_an_error(string line, string code)
    {
        List<Review> reviews =
            await ReviewFiles.ReadAsync("{\"text\":\"before\"}\n" + line + "\n{\"text\":\"after\"}\n", ReviewFormat.JsonLines);
        Assert.Equal(["before", "", "after"], reviews.Select(review => review.Text));
        Assert.Equal((1, "r1", code), (reviews[1].Row, reviews[1].Id, reviews[1].Error?.Code));
        Assert.StartsWith("Row 1 (byte 18) ", reviews[1].Error!.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{\"text\":\"a\"", "invalid_json")]
    [InlineData("{\"text\":\"a\"} {\"text\":\"b\"}", "invalid_json")]
    [InlineData("{\"text\":\"a\",}", "invalid_json")]
    [InlineData("{'text':'a'}", "invalid_json")]
    [InlineData("[1] x", "invalid_json")]
    [InlineData("text", "invalid_json")]
    [InlineData("[{\"text\":\"a\"}]", "not_an_object")]
    [InlineData("\"a\"", "not_an_object")]
    [InlineData("5", "not_an_object")]
    [InlineData("null", "not_an_object")]
    public async Task A_line_that_is_no_JSON_object_is_an_error(string line, string code) =>
        Assert.Equal(code, (await OneAsync(line)).Error?.Code);

    [Fact]
    public async Task An_error_in_JSON_says_the_row_its_byte_and_the_byte_of_the_line()
    {
        List<Review> reviews = await ReviewFiles.ReadAsync("{\"text\":\"a\"}\n{\"text\":x}\n", ReviewFormat.JsonLines);
        Assert.Equal("Row 1 (byte 13) is not valid JSON: at byte 8 of the line, 'x' is an invalid start of a value; write one JSON "
            + "object a line.", reviews[1].Error!.Message);
    }

    [Fact]
    public async Task JSON_nested_without_end_is_an_error_and_not_a_stack_overflow() =>
        Assert.Equal("invalid_json", (await OneAsync("{\"a\":" + new string('[', 100_000))).Error?.Code);

    [Theory]
    [InlineData(@"cut \ud83d", "cut \uFFFD", 1)]
    [InlineData(@"\ude00\ud83d\ude00 \uD83D\uD83D", "\uFFFD😀 \uFFFD\uFFFD", 3)]
    [InlineData(@"\ud83d\ude00", "😀", 0)]
    [InlineData(@"a backslash \\ud83d", @"a backslash \ud83d", 0)]
    [InlineData(@"\\\ud83d", "\\\uFFFD", 1)]
    public async Task An_unpaired_surrogate_escape_is_replaced_and_counted(string escaped, string text, int invalid)
    {
        Review review = await OneAsync($$"""{"text":"{{escaped}}"}""");
        Assert.Equal((text, invalid, null), (review.Text, review.InvalidUtf8, review.Error));
    }

    [Fact]
    public async Task Malformed_UTF_8_is_replaced_and_counted()
    {
        byte[] line = [.. "{\"text\":\"caf"u8, 0xe9, .. " "u8, 0xf0, 0x9f, 0x98, .. "!\"}"u8];
        Review review = (await ReviewFiles.ReadAsync(line, ReviewFormat.JsonLines, new ReviewOptions { Encoding = "utf-8" })).Single();
        Assert.Equal(("caf\uFFFD \uFFFD!", 2, null), (review.Text, review.InvalidUtf8, review.Error));
    }

    [Fact]
    public async Task Blank_lines_are_no_rows_and_CR_LF_ends_a_line()
    {
        List<Review> reviews = await ReviewFiles.ReadAsync("\n \t\r\n{\"text\":\"a\"}\r\n\r\n  \n{\"text\":\"b\"}", ReviewFormat.JsonLines);
        Assert.Equal([(0, "a"), (1, "b")], reviews.Select(review => ((int)review.Row, review.Text)));
    }

    private static async Task<Review> OneAsync(string line) =>
        Assert.Single(await ReviewFiles.ReadAsync(Encoding.UTF8.GetBytes(line), ReviewFormat.JsonLines));
}
