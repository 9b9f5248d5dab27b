using System.Buffers;
using System.Globalization;
using System.Text;
using ServerlessBert.Modeling.Inference;
using ServerlessBert.Pipeline.Predictions;
using ServerlessBert.Reviews;

namespace ServerlessBert.Pipeline.Tests.Predictions;

public sealed class PredictionWriterTests
{
    private static readonly Classification FiveStars = new([0.01f, 0.02f, 0.06f, 0.2f, 0.71f], Tokens: 7, UnknownTokens: 1,
        IsTruncated: false);

    [Fact]
    public void A_prediction_is_a_line_of_JSON() => Assert.Equal(
        """{"row":0,"id":"r1","stars":5,"confidence":0.71,"expectedStars":4.58,"probabilities":[0.01,0.02,0.06,0.2,0.71],"model":"20261122T101500Z-3fa9c1"}""" + "\n",
        Line(new Review { Row = 0, Id = "r1", Text = "Good." }, FiveStars, "20261122T101500Z-3fa9c1"));

    [Fact]
    public void An_error_keeps_the_place_of_its_row() => Assert.Equal(
        """{"row":3,"error":{"code":"missing_text","message":"Row 3 has no text."}}""" + "\n",
        Line(new Review { Row = 3, Error = new RowError("missing_text", "Row 3 has no text.") }, null, "m"));

    [Fact]
    public void A_text_of_any_script_stays_readable() => Assert.Equal(
        """{"row":3,"id":"é好'<&>\"\\","error":{"code":"c","message":"größer"}}""" + "\n",
        Line(new Review { Row = 3, Id = "é好'<&>\"\\", Error = new RowError("c", "größer") }, null, "m"));

    [Fact]
    public void Fractions_have_four_decimals_in_any_culture()
    {
        CultureInfo.CurrentCulture = new CultureInfo("de-DE");
        var classification = new Classification([1e-8f, 0.33333334f, 0.66666666f, 0f, 0f], 1, 0, false);
        Assert.Equal("""{"row":1,"stars":3,"confidence":0.6667,"expectedStars":2.6667,"probabilities":[0,0.3333,0.6667,0,0],"model":"m"}""" + "\n", Line(new Review { Row = 1, Text = "x" }, classification, "m"));
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void A_probability_that_is_no_number_is_an_error_and_not_a_rating(float broken) =>
        Assert.Contains("\"error\":{\"code\":\"not_finite\"",
            Line(new Review { Row = 1, Text = "x" }, new Classification([0.5f, broken], 1, 0, false), "m"), StringComparison.Ordinal);

    [Fact]
    public void A_review_with_neither_classification_nor_error_is_a_bug() =>
        Assert.Throws<ArgumentException>(() => Line(new Review { Row = 1, Text = "x" }, null, "m"));

    private static string Line(Review review, Classification? classification, string model)
    {
        var output = new ArrayBufferWriter<byte>();
        PredictionWriter.Write(output, review, classification, model);
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }
}
