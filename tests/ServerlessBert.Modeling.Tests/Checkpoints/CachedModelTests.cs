using ServerlessBert.Modeling.Bert;
using ServerlessBert.Modeling.Checkpoints;
using ServerlessBert.Modeling.Tests.Bert;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling.Tests.Checkpoints;

[Collection(GlobalRandomState.Name)]
public sealed class LoadedModelTests : IDisposable
{
    private readonly CheckpointVariants variants = new();

    public void Dispose() => variants.Dispose();

    [Fact]
    public void What_is_saved_loads_to_the_same_bits_and_nothing_to_remark()
    {
        variants.Model.SaveTo(variants.Path);
        var loaded = variants.Load();
        using var model = loaded.Model;
        Assert.Empty(loaded.Notes);
        Assert.Equal(variants.Weights.Count, model.named_parameters().Count());
        Assert.All(model.named_parameters(), each => Assert.True(each.parameter.requires_grad));
        variants.RequireSameLogits(model);
    }

    [Fact]
    public void Saving_twice_gives_the_same_bytes()
    {
        variants.Model.SaveTo(variants.Path);
        byte[] first = File.ReadAllBytes(variants.File("model.safetensors"));
        variants.Model.SaveTo(variants.Path);
        Assert.Equal(first, File.ReadAllBytes(variants.File("model.safetensors")));
        Assert.Equal("float32", BertConfig.Load(variants.Path).TorchDtype);
    }

    [Theory]
    [InlineData(ScalarType.Float16, "float16")]
    [InlineData(ScalarType.BFloat16, "bfloat16")]
    [InlineData(ScalarType.Float64, "float64")]
    public void Weights_of_other_number_types_become_float32(ScalarType dtype, string name)
    {
        variants.Model.SaveTo(variants.Path, dtype);
        Assert.Equal(name, BertConfig.Load(variants.Path).TorchDtype);
        using var model = variants.Load().Model;
        Assert.All(model.named_parameters(), each => Assert.Equal(ScalarType.Float32, each.parameter.dtype));
        foreach (var (key, parameter) in model.named_parameters())
            Assert.True(parameter.equal(variants.Weights[key].to(dtype).to(ScalarType.Float32)).all().item<bool>(), key);
    }

    [Fact]
    public void Names_without_the_prefix_and_names_of_TensorFlow_load()
    {
        variants.Rename(
            key => key.Replace("bert.", "").Replace("LayerNorm.weight", "LayerNorm.gamma").Replace("LayerNorm.bias", "LayerNorm.beta"));
        variants.Write();
        using var model = variants.Load().Model;
        variants.RequireSameLogits(model);
    }

    [Fact]
    public void Buffers_of_older_versions_are_passed_over()
    {
        variants.Weights["bert.embeddings.position_ids"] = arange(40).unsqueeze(0);
        variants.Write();
        var loaded = variants.Load();
        using var model = loaded.Model;
        Assert.Empty(loaded.Notes);
        variants.RequireSameLogits(model);
    }

    [Fact]
    public void A_bare_encoder_gets_a_fresh_classifier_and_says_so()
    {
        variants.Remove(key => key.StartsWith("classifier"));
        variants.Write();
        LoadedModel loaded = variants.Load(), again = variants.Load(), other = variants.Load(new CheckpointOptions { Seed = 1 });
        Assert.Equal(["The classifier is not in the checkpoint and starts fresh."], loaded.Notes);
        Tensor Classifier(LoadedModel each) => each.Model.get_parameter("classifier.weight")!;
        Assert.Equal(0.2, Classifier(loaded).std().item<float>(), 0.05);
        Assert.Equal(0, loaded.Model.get_parameter("classifier.bias")!.abs().max().item<float>());
        Assert.True(Classifier(loaded).equal(Classifier(again)).all().item<bool>());
        Assert.False(Classifier(loaded).equal(Classifier(other)).all().item<bool>());
        foreach (var each in (LoadedModel[])[loaded, again, other]) each.Model.Dispose();
    }

    [Fact]
    public void A_fresh_classifier_does_not_touch_the_global_generator()
    {
        variants.Remove(key => key.StartsWith("classifier"));
        variants.Write();
        random.manual_seed(3);
        using var expected = rand(4);
        random.manual_seed(3);
        variants.Load().Model.Dispose();
        using var actual = rand(4);
        Assert.True(expected.equal(actual).all().item<bool>());
    }

    [Theory]
    [InlineData("classifier")]
    [InlineData("pooler")]
    public void A_part_that_would_start_fresh_is_refused_where_a_trained_one_is_required(string part)
    {
        variants.Remove(key => key.Contains(part));
        variants.Write();
        variants.Load().Model.Dispose();
        Assert.Contains($"has no trained {part}", variants.Refusal(new CheckpointOptions { RequireClassifier = true }));
    }

    [Fact]
    public void A_pretraining_head_is_dropped_and_a_missing_pooler_starts_fresh_both_said()
    {
        variants.Remove(key => key.StartsWith("classifier") || key.Contains("pooler"));
        variants.Weights["cls.predictions.bias"] = zeros(60);
        variants.Weights["cls.predictions.transform.LayerNorm.gamma"] = zeros(32);
        variants.Write();
        var loaded = variants.Load();
        using var model = loaded.Model;
        Assert.Equal(
        [
            "The pretraining head (2 tensors) is dropped.", "The pooler is not in the checkpoint and starts fresh.",
            "The classifier is not in the checkpoint and starts fresh.",
        ], loaded.Notes);
        Assert.Equal(0.2, model.get_parameter("bert.pooler.dense.weight")!.std().item<float>(), 0.03);
    }

    [Fact]
    public void A_classifier_without_named_labels_keeps_its_number_of_them()
    {
        string path = variants.File("config.json");
        var json = System.Text.Json.Nodes.JsonNode.Parse(File.ReadAllText(path))!.AsObject();
        json.Remove("id2label");
        File.WriteAllText(path, json.ToJsonString());
        variants.Weights["classifier.weight"] = ones(2, 32);
        variants.Weights["classifier.bias"] = ones(2);
        variants.Write();
        var loaded = variants.Load();
        using var model = loaded.Model;
        Assert.Equal("LABEL_1", model.Config.Id2Label[1]);
        Assert.Equal(2, model.Config.NumLabels);
        Assert.Equal(["config.json names no labels; the classifier has 2."], loaded.Notes);
    }

    [Fact]
    public void What_does_not_fit_is_named_key_by_key()
    {
        variants.Remove(key => key is "bert.encoder.layer.1.output.dense.bias" or "classifier.bias");
        variants.Weights["bert.pooler.dense.weight"] = zeros(32, 31);
        variants.Weights["bert.pooler.dense.bias"] = zeros(32, int64);
        variants.Write();
        string message = variants.Refusal();
        Assert.Contains("missing: bert.encoder.layer.1.output.dense.bias", message);
        Assert.Contains("missing: classifier.bias", message);
        Assert.Contains("wrong shape: bert.pooler.dense.weight is [32, 31], config.json says [32, 32]", message);
        Assert.Contains("wrong number type: bert.pooler.dense.bias is Int64", message);
        Assert.Equal(5, message.Split('\n').Length);
    }

    [Fact]
    public void Tensors_without_a_place_in_the_model_are_named_and_ignored()
    {
        variants.Weights["loss_fct.weight"] = zeros(5);
        variants.Weights["bert.encoder.layer.2.output.dense.bias"] = zeros(32);
        variants.Write();
        var loaded = variants.Load();
        using var model = loaded.Model;
        Assert.Equal(["2 tensors are not used: bert.encoder.layer.2.output.dense.bias, loss_fct.weight."], loaded.Notes);
    }

    [Fact]
    public void A_tensor_under_two_names_is_refused()
    {
        variants.Weights["embeddings.LayerNorm.gamma"] = ones(32);
        variants.Write();
        Assert.Contains("holds 'bert.embeddings.LayerNorm.weight' twice", variants.Refusal());
    }

    [Fact]
    public void A_pickle_alone_is_refused_with_the_way_to_convert_it()
    {
        File.WriteAllText(variants.File("pytorch_model.bin"), "");
        string message = variants.Refusal();
        Assert.Contains("a pickle, which can run code", message);
        Assert.Contains("safe_serialization=True", message);
    }

    [Fact]
    public void A_pickle_beside_safetensors_does_no_harm()
    {
        File.WriteAllText(variants.File("pytorch_model.bin"), "");
        variants.Write();
        variants.Load().Model.Dispose();
    }

    [Fact]
    public void A_folder_without_weights_is_refused() => Assert.Contains("no model.safetensors", variants.Refusal());

    [Fact]
    public void A_malformed_weights_file_is_refused_by_name()
    {
        File.WriteAllText(variants.File("model.safetensors"), "version https://git-lfs.github.com/spec/v1");
        Assert.Contains(variants.File("model.safetensors"), variants.Refusal());
    }

    [Fact]
    public void A_DistilBERT_is_saved_under_its_own_names_and_loads_from_them()
    {
        var config = variants.Model.Config with { ModelType = "distilbert", TypeVocabSize = 0, ClassifierDropout = 0.2 };
        using var distilled = new CheckpointVariants(config);
        distilled.Model.SaveTo(distilled.Path);
        using (var reader = SafetensorsReader.Open(distilled.File("model.safetensors")))
        {
            var keys = reader.Header.Entries.Select(entry => entry.Name).ToHashSet();
            Assert.Superset(new HashSet<string>
            {
                "distilbert.embeddings.word_embeddings.weight", "distilbert.embeddings.LayerNorm.weight",
                "distilbert.transformer.layer.1.attention.q_lin.weight", "distilbert.transformer.layer.1.attention.k_lin.bias",
                "distilbert.transformer.layer.1.attention.v_lin.weight", "distilbert.transformer.layer.1.attention.out_lin.weight",
                "distilbert.transformer.layer.1.sa_layer_norm.weight", "distilbert.transformer.layer.1.ffn.lin1.weight",
                "distilbert.transformer.layer.1.ffn.lin2.bias", "distilbert.transformer.layer.1.output_layer_norm.bias",
                "pre_classifier.weight", "classifier.weight",
            }, keys);
            Assert.DoesNotContain(keys, key => key.StartsWith("bert.") || key.Contains("pooler") || key.Contains("token_type"));
        }
        using var loaded = distilled.Load().Model;
        Assert.True(loaded.Config.IsDistilled);
        distilled.RequireSameLogits(loaded);
    }

    [Fact]
    public void A_bare_DistilBERT_with_its_masked_language_head_loads()
    {
        using var distilled = new CheckpointVariants(variants.Model.Config with { ModelType = "distilbert", TypeVocabSize = 0 });
        distilled.Rename(WeightNames.ToDistilBert);
        distilled.Rename(key => key.Replace("distilbert.", ""));
        distilled.Remove(key => key.StartsWith("pre_classifier") || key.StartsWith("classifier"));
        distilled.Weights["vocab_transform.weight"] = zeros(32, 32);
        distilled.Write();
        var loaded = distilled.Load();
        using var model = loaded.Model;
        Assert.Equal(3, loaded.Notes.Count);
        Assert.True(model.get_parameter("bert.encoder.layer.1.attention.self.query.weight")!
            .equal(distilled.Model.get_parameter("bert.encoder.layer.1.attention.self.query.weight")!).all().item<bool>());
    }
}
