using ServerlessBert.Modeling.Bert;
using ServerlessBert.Modeling.Inference;
using ServerlessBert.Testing;

namespace ServerlessBert.Modeling.Tests.Inference;

/// <summary>What a classifier's outputs mean, by the names in id2label.</summary>
public class LabelsTests
{
    [Theory]
    [InlineData("1 star,2 stars,3 stars", true, "1 star,2 stars,3 stars")]
    [InlineData("5 stars,4 stars,3 stars,2 stars,1 star", true, "1 star,2 stars,3 stars,4 stars,5 stars")]
    [InlineData("LABEL_1,LABEL_0", true, "LABEL_0,LABEL_1")]
    [InlineData("4,1,3,2", true, "1,2,3,4")]
    [InlineData("NEGATIVE,POSITIVE", false, "NEGATIVE,POSITIVE")]
    [InlineData("1,2,4", false, "1,2,4")]
    [InlineData("2,3", false, "2,3")]
    [InlineData("1,1", false, "1,1")]
    public void Names_of_steps_are_a_scale_in_its_order_and_others_are_classes(string id2Label, bool isScale, string names)
    {
        Labels labels = Labels.Parse(id2Label.Split(',').Index().ToDictionary(each => each.Index, each => each.Item));
        Assert.Equal((isScale, names), (labels.IsScale, string.Join(',', labels.Names)));
    }

    [SharedDataTheory]
    [InlineData("labels-reversed", "1 star", 0.8318)]
    [InlineData("id2label-integers", "5", 0.8318)]
    [InlineData("extra-tensor-loss", "5 stars", 0.8318)]
    [InlineData("labels-sst2", "POSITIVE", 0.9518)]
    [InlineData("special-tokens-map", "5 stars", 0.8318)]
    public void A_field_case_has_the_label_that_Hugging_Face_gives(string name, string label, double confidence)
    {
        using ReviewClassifier classifier = ReviewClassifier.Load(SharedData.PathOf("field-cases", name, "model"));
        Classification classification = classifier.Classify(["great food"])[0];
        Assert.Equal(label, classification.Label);
        Assert.Equal(confidence, classification.Confidence, 2e-3);
        if (name == "labels-reversed") Assert.Equal((1, 1.42), (classification.Stars, Math.Round(classification.ExpectedStars, 2)));
    }
}
