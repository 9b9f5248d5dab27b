using ServerlessBert.Modeling.Checkpoints;
using ServerlessBert.Modeling.Tests.Bert;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling.Tests.Checkpoints;

[Collection(GlobalRandomState.Name)]
public sealed class CheckpointWeightsTests : IDisposable
{
    private readonly CheckpointVariants variants = new();

    public void Dispose() => variants.Dispose();

    [Fact]
    public void The_tensors_are_the_models_own_by_the_same_keys()
    {
        variants.Rename(key => key.Replace("bert.", "").Replace("LayerNorm.weight", "LayerNorm.gamma"));
        variants.Write();
        using var weights = CheckpointWeights.Load(variants.Path);
        Assert.Equal(variants.Model.state_dict().Keys.Order(), weights.Tensors.Keys.Order());
        foreach (var (key, parameter) in variants.Model.named_parameters())
            Assert.True(parameter.equal(weights.Tensors[key]).all().item<bool>(), key);
    }

    [Fact]
    public void They_keep_the_files_number_type_or_take_the_one_asked_for()
    {
        variants.Write(ScalarType.BFloat16);
        using (var stored = CheckpointWeights.Load(variants.Path))
            Assert.All(stored.Tensors.Values, tensor => Assert.Equal(ScalarType.BFloat16, tensor.dtype));
        using var single = CheckpointWeights.Load(variants.Path, ScalarType.Float32);
        Assert.All(single.Tensors.Values, tensor => Assert.Equal(ScalarType.Float32, tensor.dtype));
    }

    [Fact]
    public void They_outlive_the_scope_they_were_loaded_in()
    {
        variants.Write();
        CheckpointWeights weights;
        using (NewDisposeScope()) weights = CheckpointWeights.Load(variants.Path);
        using (weights) Assert.Equal(60, weights.Tensors["bert.embeddings.word_embeddings.weight"].size(0));
    }

    [Fact]
    public void A_bare_encoder_has_the_same_fresh_classifier_as_the_model()
    {
        variants.Remove(key => key.StartsWith("classifier"));
        variants.Write();
        using var weights = CheckpointWeights.Load(variants.Path);
        using var model = variants.Load().Model;
        Assert.Single(weights.Notes);
        Assert.True(model.get_parameter("classifier.weight")!.equal(weights.Tensors["classifier.weight"]).all().item<bool>());
    }

    [Fact]
    public void A_file_cut_short_is_refused_before_memory_is_taken()
    {
        variants.Write();
        string path = variants.File("model.safetensors");
        File.WriteAllBytes(path, File.ReadAllBytes(path)[..^100]);
        Assert.Contains("but the data has", Assert.Throws<SafetensorsException>(() => CheckpointWeights.Load(variants.Path)).Message);
    }
}
