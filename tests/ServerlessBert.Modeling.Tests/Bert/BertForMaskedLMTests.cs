using ServerlessBert.Modeling.Bert;
using ServerlessBert.Modeling.Checkpoints;
using ServerlessBert.Modeling.Tests.Checkpoints;
using ServerlessBert.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling.Tests.Bert;

public sealed class BertForMaskedLMTests
{
    private static readonly BertConfig Small =
        BertConfig.Preset("tiny", 40) with { HiddenSize = 16, NumAttentionHeads = 2, IntermediateSize = 32, MaxPositionEmbeddings = 20 };

    [Fact]
    public void Its_keys_are_those_of_Hugging_Face_and_the_decoder_has_no_weights_of_its_own()
    {
        using var model = new BertForMaskedLM(Small);

        Assert.Equal(
            ["cls.predictions.bias", "cls.predictions.transform.LayerNorm.bias", "cls.predictions.transform.LayerNorm.weight",
                "cls.predictions.transform.dense.bias", "cls.predictions.transform.dense.weight"],
            model.PretrainedParameters().Select(each => each.Name).Where(name => !name.StartsWith("bert.")).Order(StringComparer.Ordinal));
        Assert.Contains("bert.embeddings.word_embeddings.weight", model.state_dict().Keys);
        Assert.DoesNotContain(model.PretrainedParameters(), each => each.Name.Contains("pooler"));
    }

    [Fact]
    public void The_decoder_is_the_word_embedding_in_the_forward_and_in_the_backward_pass()
    {
        using var scope = NewDisposeScope();
        using var model = new BertForMaskedLM(Small);
        model.eval();
        var words = model.named_parameters().Single(each => each.name == "bert.embeddings.word_embeddings.weight").parameter;
        Tensor ids = tensor(new long[] { 1, 2, 3, 4 }, [1, 4]), wanted = tensor(new long[] { 2 }, [1, 1]);

        Tensor before = model.call(ids, null, wanted).detach();
        using (no_grad()) words[30] *= 2; // a word that the text does not have: only the decoder can know
        Tensor after = model.call(ids, null, wanted);

        using var bias = model.state_dict()["cls.predictions.bias"].detach();
        Assert.Equal(2 * before[0, 30].ToSingle(), after[0, 30].ToSingle(), 1e-5f);
        Assert.Equal(before[0, 29].ToSingle(), after[0, 29].ToSingle(), 1e-5f);
        after[0, 30].backward();
        Assert.True(words.grad![30].abs().sum().ToSingle() > 0);
    }

    [Fact]
    public void The_scores_at_wanted_positions_are_those_of_the_whole_last_layer()
    {
        using var scope = NewDisposeScope();
        using var model = new BertForMaskedLM(Small);
        model.eval();
        Tensor ids = randint(5, 40, [3, 10]), mask = ones(3, 10, int64);
        mask[2, 7] = mask[2, 8] = mask[2, 9] = 0L;
        Tensor every = arange(10, int64).unsqueeze(0).expand(3, 10).contiguous();
        Tensor wanted = tensor(new long[] { 4, 1, 0, 0, 6, 2 }, [3, 2]);

        Tensor whole = model.call(ids, mask, every).view(3, 10, 40);
        Tensor some = model.call(ids, mask, wanted).view(3, 2, 40);

        for (int row = 0; row < 3; row++)
            for (int i = 0; i < 2; i++)
                Assert.True(BertForSequenceClassificationTests.Difference(whole[row, wanted[row, i].ToInt64()], some[row, i]) < 1e-5);
    }

    [Fact]
    public void It_survives_saving_and_a_classifier_starts_from_it_with_a_note()
    {
        using var folder = new TemporaryFolder();
        using Checkpoint checkpoint = SmallModels.Create();
        using var model = BertForMaskedLM.Over(checkpoint.Model);
        model.SaveTo(folder.Path);
        checkpoint.Tokenizer.Save(folder.Path);

        using Checkpoint again = Checkpoint.Load(folder.Path);
        using var head = BertForMaskedLM.Over(again.Model);
        Assert.True(MaskedLMHead.TryLoad(head, folder.Path));

        var saved = head.named_parameters().ToDictionary(each => each.name, each => each.parameter);
        Assert.All(model.PretrainedParameters(), each => Assert.True(each.Parameter.equal(saved[each.Name]).all().ToBoolean(), each.Name));
        Assert.Contains(again.Notes, note => note.Contains("pretraining head"));
        Assert.Contains(again.Notes, note => note.Contains("classifier") && note.Contains("fresh"));
        Assert.Contains("\"BertForMaskedLM\"", File.ReadAllText(Path.Combine(folder.Path, "config.json")));
    }

    [Fact]
    public void A_folder_without_a_head_has_none_and_one_with_half_a_head_is_refused()
    {
        using var folder = new TemporaryFolder();
        using Checkpoint checkpoint = SmallModels.Create();
        using var model = BertForMaskedLM.Over(checkpoint.Model);
        checkpoint.Save(folder.Path);
        Assert.False(MaskedLMHead.TryLoad(model, folder.Path));

        SafetensorsWriter.Write(Path.Combine(folder.Path, "model.safetensors"), model.PretrainedParameters()
            .Where(each => each.Name != "cls.predictions.bias")
                .Select(each => KeyValuePair.Create<string, Tensor>(each.Name, each.Parameter)));
        Assert.Contains("cls.predictions.bias", Assert.Throws<CheckpointException>(() => MaskedLMHead.TryLoad(model, folder.Path)).Message);
    }

    [SharedDataFact]
    public void Its_loss_is_that_of_the_reference()
    {
        using var scope = NewDisposeScope();
        var fixture = System.Text.Json.JsonDocument.Parse(File.ReadAllText(SharedData.PathOf("bert-toy", "fixture.json"))).RootElement;
        Tensor Input(string name) =>
            tensor(fixture.GetProperty("inputs").GetProperty(name).EnumerateArray().Select(each => each.GetInt64()).ToArray()).view(13, -1);
        using var model = new BertForMaskedLM(BertConfig.Load(SharedData.PathOf("bert-toy", "config.json")));
        using (var reader = SafetensorsReader.Open(SharedData.PathOf("bert-toy", "bert_toy.safetensors")))
        {
            var parameters = model.named_parameters().ToDictionary(each => each.name, each => each.parameter);
            foreach (var entry in reader.Header.Entries.Where(entry => parameters.ContainsKey(entry.Name))) reader.ReadInto(
                entry, parameters[entry.Name]);
        }
        Tensor every = arange(7, int64).unsqueeze(0).expand(13, 7).contiguous();

        Tensor states = model.Encoder.HiddenStates(Input("input_ids"), Input("input_mask"), Input("token_type_ids"), every);
        Tensor loss = nn.functional.cross_entropy(model.Logits(states), Input("masked_lm_ids").view(-1));

        Assert.Equal(fixture.GetProperty("derived_mlm_loss").GetDouble(), loss.ToDouble(), 1e-6);
    }
}
