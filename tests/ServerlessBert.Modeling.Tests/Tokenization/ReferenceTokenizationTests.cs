using System.Text.Json;
using ServerlessBert.Modeling.Tokenization;
using ServerlessBert.Testing;

namespace ServerlessBert.Modeling.Tests.Tokenization;

/// <summary>Ids made by the reference implementations.</summary>
public class ReferenceTokenizationTests
{
    public static TheoryData<string, string, bool> Models => new()
    {
        { "Xenova/bert-base-uncased", "bert-base-uncased-vocab.txt", true },
        { "Xenova/bert-base-cased", "bert-base-cased-vocab.txt", false },
        { "google-bert/bert-base-cased", "bert-base-cased-vocab.txt", false },
    };

    [SharedDataTheory, MemberData(nameof(Models))]
    public void Every_reference_text_gives_its_ids_tokens_and_decoded_text(string model, string vocabulary, bool lowerCase)
    {
        BertTokenizer tokenizer = Load(vocabulary, lowerCase);
        using JsonDocument document = Open("bert-base.json");
        foreach (JsonProperty example in document.RootElement.GetProperty(model).EnumerateObject())
        {
            string text = example.Value.GetProperty("text").GetString()!;
            int[] ids = example.Value.TryGetProperty("text_pair", out JsonElement second)
                ? tokenizer.EncodePair(text, second.GetString()!, 512).InputIds
                : tokenizer.Encode(text);

            Assert.Equal((example.Name, Join(Numbers(example.Value, "ids"))), (example.Name, Join(ids)));
            int[] special = [tokenizer.ClassificationId, tokenizer.SeparatorId];
            Assert.Equal(
                example.Value.GetProperty("tokens").EnumerateArray().Select(token => token.GetString()),
                ids.Except(special).Count() == 0 ? [] : ids.Where(id => !special.Contains(id)).Select(tokenizer.TokenOf));
            Assert.Equal(example.Value.GetProperty("decoded").GetString(), tokenizer.Decode(ids));
        }
    }

    [SharedDataFact]
    public void Every_reference_pair_gives_its_ids_and_token_types()
    {
        BertTokenizer tokenizer = Load("bert-base-uncased-vocab.txt", lowerCase: true);
        using JsonDocument document = Open("pairs.json");
        Assert.NotEqual(0, document.RootElement.GetArrayLength());
        foreach (JsonElement example in document.RootElement.EnumerateArray())
        {
            EncodedPair pair =
                tokenizer.EncodePair(example.GetProperty("text").GetString()!, example.GetProperty("text_pair").GetString()!, 512);
            Assert.Equal(Numbers(example, "input_ids"), pair.InputIds);
            Assert.Equal(Numbers(example, "token_type_ids"), pair.TokenTypeIds);
            Assert.False(pair.IsTruncated);
        }
    }

    private static BertTokenizer Load(string vocabulary, bool lowerCase) =>
        BertTokenizer.FromVocabulary(SharedData.PathOf("vocab", vocabulary), new BertTokenizerOptions { LowerCase = lowerCase });

    private static JsonDocument Open(string name) => JsonDocument.Parse(File.ReadAllBytes(SharedData.PathOf("tokenizer", name)));

    private static int[] Numbers(JsonElement example, string name) =>
        [.. example.GetProperty(name).EnumerateArray().Select(id => id.GetInt32())];

    private static string Join(int[] ids) => string.Join(' ', ids);
}
