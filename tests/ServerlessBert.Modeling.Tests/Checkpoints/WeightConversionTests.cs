using System.Text.Json;
using ServerlessBert.Modeling.Checkpoints;
using ServerlessBert.Modeling.Inference;
using ServerlessBert.Testing;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling.Tests.Checkpoints;

public sealed class WeightConversionTests
{
    [Fact]
    public void Weights_in_bfloat16_are_half_as_long_say_so_and_classify_nearly_the_same()
    {
        string parent = Directory.CreateTempSubdirectory("conversion-").FullName, folder = SmallModels.Save(parent);
        string[] texts = ["the food was good", "awful service and very bad food"];
        var exact = new InferenceOptions { Dtype = InferenceDtype.Float32 };
        IReadOnlyList<Classification> before;
        using (var classifier = ReviewClassifier.Load(folder, exact)) before = classifier.Classify(texts);
        long length = new FileInfo(Path.Combine(folder, "model.safetensors")).Length;
        byte[] vocabulary = File.ReadAllBytes(Path.Combine(folder, "vocab.txt"));

        WeightConversion.Store(folder, bfloat16);

        Assert.InRange(new FileInfo(Path.Combine(folder, "model.safetensors")).Length, length * 0.45, length * 0.6);
        Assert.Equal("bfloat16",
            JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "config.json"))).RootElement.GetProperty("torch_dtype").GetString());
        Assert.Equal(vocabulary, File.ReadAllBytes(Path.Combine(folder, "vocab.txt")));
        using (var classifier = ReviewClassifier.Load(folder, exact))
        {
            foreach (var (was, now) in before.Zip(classifier.Classify(texts)))
                Assert.All(was.Probabilities.Zip(now.Probabilities), pair => Assert.Equal(pair.First, pair.Second, 0.05));
        }
        // Twice is once: what is rounded already stays as it is.
        byte[] rounded = File.ReadAllBytes(Path.Combine(folder, "model.safetensors"));
        WeightConversion.Store(folder, bfloat16);
        Assert.Equal(rounded, File.ReadAllBytes(Path.Combine(folder, "model.safetensors")));
        Directory.Delete(parent, recursive: true);
    }
}
