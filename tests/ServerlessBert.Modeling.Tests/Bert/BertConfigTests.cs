using System.Text.Json;
using ServerlessBert.Modeling.Bert;
using ServerlessBert.Modeling.Tests.Checkpoints;

namespace ServerlessBert.Modeling.Tests.Bert;

public sealed class BertConfigTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("tiny", 2, 128, 2, 512)]
    [InlineData("mini", 4, 256, 4, 1024)]
    [InlineData("small", 4, 512, 8, 2048)]
    [InlineData("base", 12, 768, 12, 3072)]
    public void A_preset_has_the_published_shape(string name, int layers, int hidden, int heads, int intermediate)
    {
        var config = BertConfig.Preset(name, 1000);
        Assert.Equal((layers, hidden, heads, intermediate, 1000),
            (config.NumHiddenLayers, config.HiddenSize, config.NumAttentionHeads, config.IntermediateSize, config.VocabSize));
        Assert.Empty(config.ValidationErrors());
    }

    [Fact]
    public void An_unknown_preset_is_refused_with_the_known_ones() =>
        Assert.Contains("tiny, mini, small or base", Assert.Throws<ArgumentException>(() => BertConfig.Preset("huge", 10)).Message);

    [Fact]
    public void What_is_saved_is_what_Hugging_Face_writes()
    {
        BertConfig.Preset("tiny", 1000).Save(folder.Path);
        var json = JsonDocument.Parse(File.ReadAllText(folder.File("config.json"))).RootElement;
        Assert.Equal("BertForSequenceClassification", json.GetProperty("architectures")[0].GetString());
        Assert.Equal("bert", json.GetProperty("model_type").GetString());
        Assert.Equal("1 star", json.GetProperty("id2label").GetProperty("0").GetString());
        Assert.Equal(4, json.GetProperty("label2id").GetProperty("5 stars").GetInt32());
        Assert.Equal(128, json.GetProperty("hidden_size").GetInt32());
        Assert.Equal(1e-12, json.GetProperty("layer_norm_eps").GetDouble());
        Assert.False(json.TryGetProperty("num_labels", out _));
    }

    [Fact]
    public void Every_field_survives_saving_and_loading_unknown_ones_too()
    {
        Write("""{"model_type":"bert","hidden_act":"gelu_new","classifier_dropout":0.3,"pad_token_id":null,"type_vocab_size":3,"id2label":{"0":"no","1":"yes"},"use_cache":true,"transformers_version":"4.57.0"}""");
        BertConfig.Load(folder.Path).Save(folder.Path);
        var config = BertConfig.Load(folder.Path);
        Assert.Equal(("gelu_new", 0.3, null, 3, 2),
            (config.HiddenAct, config.ClassifierDropout, config.PadTokenId, config.TypeVocabSize, config.NumLabels));
        Assert.Equal("4.57.0", config.OtherFields!["transformers_version"].GetString());
        Assert.True(config.OtherFields!["use_cache"].GetBoolean());
    }

    [Fact]
    public void Labels_that_are_only_counted_get_numbered_names()
    {
        Write("""{"num_labels":3}""");
        Assert.Equal(["LABEL_0", "LABEL_1", "LABEL_2"],
            BertConfig.Load(folder.Path).Id2Label.OrderBy(pair => pair.Key).Select(pair => pair.Value));
    }

    [Fact]
    public void A_DistilBERT_is_read_and_written_under_its_own_names()
    {
        Write("""{"model_type":"distilbert","dim":64,"n_layers":3,"n_heads":4,"hidden_dim":128,"activation":"relu","dropout":0.2,"vocab_size":50}""");
        var config = BertConfig.Load(folder.Path);
        Assert.Equal((64, 3, 4, 128, "relu", 0.2, 0, "relu", 0.2), (config.HiddenSize, config.NumHiddenLayers, config.NumAttentionHeads,
            config.IntermediateSize, config.HiddenAct, config.HiddenDropoutProb, config.TypeVocabSize, config.PoolerAct,
                config.ClassifierDropout));
        config.Save(folder.Path);
        var json = JsonDocument.Parse(File.ReadAllText(folder.File("config.json"))).RootElement;
        Assert.Equal(64, json.GetProperty("dim").GetInt32());
        Assert.Equal("DistilBertForSequenceClassification", json.GetProperty("architectures")[0].GetString());
        Assert.False(json.TryGetProperty("hidden_size", out _));
        Assert.False(json.TryGetProperty("type_vocab_size", out _));
    }

    [Theory]
    [InlineData("""{"hidden_size":100}""", "hidden_size 100 is not a multiple of num_attention_heads 12")]
    [InlineData("""{"hidden_size":0}""", "hidden_size is 0")]
    [InlineData("""{"num_hidden_layers":100000}""", "num_hidden_layers is 100000")]
    [InlineData("""{"num_attention_heads":0}""", "num_attention_heads is 0")]
    [InlineData("""{"hidden_act":"silu"}""", "hidden_act is 'silu'")]
    [InlineData("""{"model_type":"roberta"}""", "model_type is 'roberta'")]
    [InlineData("""{"problem_type":"regression"}""", "problem_type is 'regression'")]
    [InlineData("""{"num_labels":1}""", "id2label has 1 labels")]
    [InlineData("""{"id2label":{"0":"a","2":"b"}}""", "must name the labels 0 to 1")]
    [InlineData("""{"hidden_dropout_prob":1.5}""", "hidden_dropout_prob is 1.5")]
    [InlineData("""{"layer_norm_eps":0}""", "layer_norm_eps is 0")]
    [InlineData("""{"pad_token_id":99999}""", "pad_token_id 99999 is outside")]
    [InlineData("""{"position_embedding_type":"relative_key"}""", "position_embedding_type is 'relative_key'")]
    [InlineData("""{"is_decoder":true}""", "is_decoder is true")]
    [InlineData("""{"hidden_size":"wide"}""", "cannot be read")]
    [InlineData("""{"model_type":7}""", "cannot be read")]
    [InlineData("""{"id2label":{"a":"b"}}""", "cannot be read")]
    [InlineData("[1]", "no JSON object")]
    [InlineData("{", "cannot be read")]
    [InlineData("", "cannot be read")]
    public void A_malformed_configuration_is_refused_with_its_fault_and_its_file(string json, string fault)
    {
        Write(json);
        string message = Assert.Throws<CheckpointException>(() => BertConfig.Load(folder.Path)).Message;
        Assert.Contains(fault, message);
        Assert.Contains(folder.File("config.json"), message);
    }

    [Fact]
    public void A_missing_file_is_named() =>
        Assert.Contains("config.json does not exist", Assert.Throws<CheckpointException>(() => BertConfig.Load(folder.Path)).Message);

    private void Write(string json) => File.WriteAllText(folder.File("config.json"), json);
}
