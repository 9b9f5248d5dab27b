using ServerlessBert.Modeling.Inference;

namespace ServerlessBert.Modeling.Tests.Inference;

public class ClassificationTests
{
    [Fact]
    public void Stars_are_the_most_probable_label_plus_one()
    {
        var classification = new Classification([0.1f, 0.2f, 0.1f, 0.5f, 0.1f], Tokens: 4, UnknownTokens: 0, IsTruncated: false);

        Assert.Equal(4, classification.Stars);
        Assert.Equal(0.5f, classification.Confidence);
        Assert.Equal(3.3f, classification.ExpectedStars, 1e-5f);
    }

    [Fact]
    public void Of_equals_the_lower_rating_wins() =>
        Assert.Equal(2, new Classification([0.1f, 0.4f, 0.4f, 0.05f, 0.05f], 4, 0, false).Stars);
}
