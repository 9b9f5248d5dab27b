using ServerlessBert.Modeling.Inference;
using ServerlessBert.Testing;

namespace ServerlessBert.Modeling.Tests.Inference;

public sealed class CalibrationTemperatureTests : IDisposable
{
    private readonly DirectoryInfo parent = Directory.CreateTempSubdirectory();

    public void Dispose() => parent.Delete(recursive: true);

    [Fact]
    public void A_classifier_divides_its_logits_by_the_folders_temperature()
    {
        string folder = SmallModels.Save(parent.FullName);
        string[] texts = [.. SmallModels.Reviews(20).Select(review => review.Text)];
        IReadOnlyList<Classification> plain = Classify(folder, texts);
        Write(folder, """{ "temperature": 2.5, "rows": 400 }""");
        IReadOnlyList<Classification> calibrated = Classify(folder, texts);

        Assert.Equal(plain.Select(one => one.Stars), calibrated.Select(one => one.Stars));
        foreach (var (left, right) in plain.Zip(calibrated))
        {
            double[] softened = [.. left.Probabilities.Select(probability => Math.Pow(probability, 1 / 2.5))];
            Assert.All(softened.Zip(right.Probabilities), pair => Assert.Equal(pair.First / softened.Sum(), pair.Second, 1e-4));
            Assert.True(right.Confidence < left.Confidence);
        }
    }

    [Fact]
    public void Without_the_file_logits_stay_as_they_are()
    {
        Assert.Equal(1, CalibrationTemperature.Load(parent.FullName).Temperature);
        Assert.Equal([0.5f, 0.25f, 0.25f], CalibrationTemperature.None.Probabilities([MathF.Log(2), 0, 0]));
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{ "temperature": 0 }""")]
    [InlineData("""{ "temperature": -1 }""")]
    [InlineData("null")]
    [InlineData("{")]
    [InlineData("""{ "temperature": "warm" }""")]
    public void A_file_without_a_positive_temperature_is_refused_by_name(string content)
    {
        string folder = SmallModels.Save(parent.FullName);
        Write(folder, content);

        Assert.Contains(
            Path.Combine(folder, CalibrationTemperature.FileName),
            Assert.Throws<CheckpointException>(() => Classify(folder, ["good"])).Message);
    }

    private static void Write(string folder, string content) =>
        File.WriteAllText(Path.Combine(folder, CalibrationTemperature.FileName), content);

    private static IReadOnlyList<Classification> Classify(string folder, string[] texts)
    {
        using var classifier = ReviewClassifier.Load(folder, new InferenceOptions { Dtype = InferenceDtype.Float32 });
        return classifier.Classify(texts);
    }
}
