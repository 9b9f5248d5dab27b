using System.Text;
using CsCheck;
using ServerlessBert.Reviews.Files;

namespace ServerlessBert.Reviews.Tests;

/// <summary>Delimited files as people have them.</summary>
public sealed class DialectTests
{
    [Theory]
    [InlineData("id;text;stars\nr1;Lovely soup, warm bread;5\n", ';')]
    [InlineData("id|text|stars\nr1|Lovely soup, warm bread|5\n", '|')]
    [InlineData("id\ttext\tstars\nr1\tLovely soup, warm bread\t5\n", '\t')]
    [InlineData("\uFEFFid;text;stars\r\nr1;\"Lovely soup, warm bread\";5\r\n", ';')]
    [InlineData("sep=;\r\nid;text;stars\r\nr1;Lovely soup, warm bread;5\r\n", ';')]
    [InlineData("\"sep=;\"\r\nid;text;stars\r\nr1;Lovely soup, warm bread;5\r\n", ';')]
    [InlineData("SEP=^\nid^text^stars\nr1^Lovely soup, warm bread^5\n", '^')]
    [InlineData("\n\nid;text;stars\n\nr1;Lovely soup, warm bread;5\n", ';')]
    public async Task The_delimiter_is_told_by_the_header(string content, char delimiter)
    {
        (ReviewLayout layout, List<Review> reviews) = await ReadAsync(content);
        Assert.Equal(delimiter, layout.Dialect?.Delimiter);
        Assert.Equal(new Review { Row = 0, Id = "r1", Text = "Lovely soup, warm bread", Stars = 5 }, Assert.Single(reviews));
    }

    [Theory]
    [InlineData("5;Lovely, really\n1;Poor\n")]
    [InlineData("5\tLovely, really\n1\tPoor\n")]
    public async Task Rated_rows_without_a_header_tell_it_too(string content) =>
        Assert.Equal([(5, "Lovely, really"), (1, "Poor")],
            (await ReadAsync(content)).Reviews.Select(review => (review.Stars ?? 0, review.Text)));

    [Fact]
    public async Task A_file_of_the_forms_own_dialect_has_no_other_even_if_its_texts_hold_other_delimiters()
    {
        (ReviewLayout layout, List<Review> reviews) = await ReadAsync("id,text\nr1,a;b;c\nsep=;,d\n");
        Assert.Null(layout.Dialect);
        Assert.Equal(["a;b;c", "d"], reviews.Select(review => review.Text));
        Assert.Equal(["r1", "sep=;"], reviews.Select(review => review.Id));
    }

    [Fact]
    public async Task Commas_in_a_TSV_are_told_as_well()
    {
        ReviewFilePlan plan = await ReviewFiles.SplitAsync("id,text\nr1,a\n"u8.ToArray(), ReviewFormat.Tsv);
        Assert.Equal((',', 1), (plan.Layout.Dialect!.Delimiter, plan.Layout.TextColumn));
    }

    [Theory]
    [InlineData("stars,text\n2,Lovely, really lovely, yes\n1,Poor\n")]
    [InlineData("stars,text\n5,the \"best, place\" ever\n1,Poor\n")]
    [InlineData("stars;text\n2;Lovely; really\n1;Poor\n")]
    public async Task A_row_of_more_fields_than_the_header_keeps_its_place_as_an_error(string content)
    {
        List<Review> reviews = (await ReadAsync(content)).Reviews;
        Assert.Equal(["too_many_columns", null], reviews.Select(review => review.Error?.Code));
        Assert.Equal(["", "Poor"], reviews.Select(review => review.Text));
    }

    [Fact]
    public async Task The_error_of_too_many_columns_says_where_and_what_to_do() =>
        Assert.Equal(
            "Row 0 (byte 11) has 3 columns, and the file's first line has 2; put quotes around a field that holds ',', and double "
                + "the quotes within it.",
            (await ReadAsync("stars,text\n2,Lovely, really\n")).Reviews[0].Error!.Message);

    [Theory]
    [InlineData("stars,text\n5,\"The \\\"secret\\\" menu, wow, is great\"\n", "The \"secret\" menu, wow, is great")]
    [InlineData("stars,text\n5,\"a \\\"b\nc\\\" d\"\n", "a \"b\nc\" d")]
    [InlineData("stars,text\n5,\"\\\"a\\\" b, c\"\n", "\"a\" b, c")]
    [InlineData("stars,text\n5,\"a \\\"b\\\" c:\\\\\"\n", "a \"b\" c:\\")]
    public async Task Quotes_escaped_by_backslashes_are_quotes(string content, string text)
    {
        (ReviewLayout layout, List<Review> reviews) = await ReadAsync(content);
        Assert.True(layout.Dialect?.HasBackslashEscapes);
        Assert.Equal((text, 5), (Assert.Single(reviews).Text, reviews[0].Stars));
    }

    [Theory]
    [InlineData("text,stars\n\"C:\\\",5\n", "C:\\")]
    [InlineData("text,stars\n\"a \"\"b\"\" \\\",5\n", "a \"b\" \\")]
    [InlineData("text,stars\na \\\"b\\\" c,5\n", "a \\\"b\\\" c")]
    public async Task A_backslash_of_the_text_escapes_nothing(string content, string text)
    {
        (ReviewLayout layout, List<Review> reviews) = await ReadAsync(content);
        Assert.Null(layout.Dialect);
        Assert.Equal((text, 5), (Assert.Single(reviews).Text, reviews[0].Stars));
    }

    [Theory]
    [InlineData("id, text, stars\nr1, \"a, b\", 5\n")]
    [InlineData("\"id\", \"text\", \"stars\"\n\"r1\", \"a, b\", \"5\"\n")]
    [InlineData("id; text; stars\n r1;  \"a, b\"; 5\n")]
    public async Task Spaces_behind_every_delimiter_of_the_header_belong_to_it(string content) =>
        Assert.Equal(new Review { Row = 0, Id = "r1", Text = "a, b", Stars = 5 }, Assert.Single((await ReadAsync(content)).Reviews));

    [Fact]
    public async Task Typographic_quotes_around_fields_are_quotes_where_the_header_has_them()
    {
        List<Review> reviews = (await ReadAsync("“id”,“text”\n“r1”,“Lovely”\nr2,he said “yes”\n")).Reviews;
        Assert.Equal([("r1", "Lovely"), ("r2", "he said “yes”")], reviews.Select(review => (review.Id, review.Text)));
        Assert.Equal("“Lovely”", (await ReadAsync("id,text\nr1,“Lovely”\n")).Reviews[0].Text);
    }

    [Theory]
    [InlineData("Review Text,Star-Rating,REVIEW ID")]
    [InlineData("reviewText,overall,reviewId")]
    [InlineData("review_body,star_rating,review_id")]
    [InlineData("content,score,reviewId")]
    [InlineData("reviews.text,reviews.rating,id")]
    [InlineData("Review Content,Review Stars,Review_Id")]
    public async Task The_commonest_exports_names_are_known_however_they_are_written(string header) =>
        Assert.Equal(new Review { Row = 0, Id = "r1", Text = "a", Stars = 4 },
            Assert.Single((await ReadAsync(header + "\na,4,r1\n")).Reviews));

    [Theory]
    [InlineData("5.0", 5)]
    [InlineData("4 stars", 4)]
    [InlineData("1 Star", 1)]
    [InlineData("★★★★", 4)]
    [InlineData("★★★☆☆", 3)]
    [InlineData("⭐⭐", 2)]
    [InlineData("4/5", 4)]
    [InlineData("3 / 5", 3)]
    [InlineData("4.0 out of 5 stars", 4)]
    [InlineData("Rated 2 out of 5", 2)]
    [InlineData("5 star rating", 5)]
    [InlineData("\"3,0\"", 3)]
    [InlineData("FIVE", 5)]
    [InlineData("NA", null)]
    [InlineData("NaN", null)]
    [InlineData("null", null)]
    [InlineData("N/A", null)]
    [InlineData("none", null)]
    [InlineData("", null)]
    public async Task A_rating_is_read_as_people_write_it(string written, int? stars)
    {
        Review review = Assert.Single((await ReadAsync($"stars,text\n{written},a\n")).Reviews);
        Assert.Equal((stars, null), (review.Stars, review.LabelError));
    }

    [Theory]
    [InlineData("4/10")]
    [InlineData("8/10")]
    [InlineData("4.5 stars")]
    [InlineData("☆☆☆☆☆")]
    [InlineData("★★★★★★")]
    [InlineData("5 moons")]
    public async Task A_rating_that_is_none_of_five_stars_is_said(string written) =>
        Assert.Equal("invalid_stars", Assert.Single((await ReadAsync($"stars,text\n{written},a\n")).Reviews).LabelError?.Code);

    [Fact]
    public async Task Windows_1252_is_found_out_also_by_a_byte_far_from_the_head()
    {
        byte[] content =
            [.. "text\n"u8, .. Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("plain\n", 100_000))), .. "caf"u8, 0xe9,
            .. " \x80\n"u8.ToArray()[..1], 0x80, (byte)'\n'];
        ReviewFilePlan plan = await ReviewFiles.SplitAsync(content, ReviewFormat.Csv);
        Assert.Equal(ReviewLayout.Windows1252, plan.Layout.Encoding);
        Assert.Equal("café €", ReviewFiles.Read(content, plan, new ReviewOptions())[^1].Text);
    }

    [Fact]
    public async Task UTF_8_that_is_damaged_stays_UTF_8()
    {
        byte[] content = [.. "text\ncafé, déjà\n\"über\"\ncut "u8.ToArray()[..^1], 0xe9, (byte)'\n', 0xf0, 0x9f, 0x98, (byte)'\n'];
        ReviewFilePlan plan = await ReviewFiles.SplitAsync(content, ReviewFormat.Text);
        Assert.Null(plan.Layout.Encoding);
    }

    [Fact]
    public async Task An_encoding_that_is_not_known_is_refused() =>
        Assert.Equal("unknown_encoding",
            (await ReviewFiles.RefusalOfAsync("text\na\n", ReviewFormat.Csv, new ReviewOptions { Encoding = "klingon" })).Code);

    [Fact]
    public void Rows_out_are_rows_in_with_their_texts_in_any_dialect() =>
        Gen.Select(Gen.Int[0, 3], Gen.Bool, Gen.Bool, AnyTexts, Gen.Int[1, 4]).Sample(
            (delimiterIndex, isEscaped, hasSpaces, texts, batchRows) =>
            {
                char delimiter = ",;\t|"[delimiterIndex];
                string between = delimiter + (hasSpaces ? " " : "");
                // The first row shows how quotes are written.
                texts = ["a \"b\" c \"d\"", .. texts];
                string Quoted(string text) => isEscaped ? text.Replace("\\", "\\\\").Replace("\"", "\\\"") : text.Replace("\"", "\"\"");
                string content = $"id{between}text\n" + string.Concat(texts.Select((text, row) => $"{row}{between}\"{Quoted(text)}\"\n"));
                List<Review> reviews = ReviewFiles.ReadAsync(content, ReviewFormat.Csv, new ReviewOptions { BatchRows = batchRows }).Result;
                Assert.Equal(texts, reviews.Select(review => review.Text));
                Assert.Equal(Enumerable.Range(0, texts.Count).Select(row => $"{row}"), reviews.Select(review => review.Id));
            },
            iter: 3000);

    private static readonly string[] Parts = ["\"", ",", ";", "\t", "|", "\n", "\r\n", "a", " ", "é", "😀", "\\"];

    // A backslash before the closing quote of a doubled-quote dialect is told from an escape by what follows, so not at ends.
    private static readonly Gen<List<string>> AnyTexts =
        Gen.Int[0, Parts.Length - 1].Select(part => Parts[part]).List[0, 12].Select(parts => "x" + string.Concat(parts) + "x").List[0, 6];

    private static async Task<(ReviewLayout Layout, List<Review> Reviews)> ReadAsync(string content)
    {
        byte[] bytes = ReviewFiles.Utf8(content);
        ReviewFilePlan plan = await ReviewFiles.SplitAsync(bytes, ReviewFormat.Csv);
        return (plan.Layout, ReviewFiles.Read(bytes, plan, new ReviewOptions()));
    }
}
