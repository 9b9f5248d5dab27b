using ServerlessBert.Modeling.Tokenization;
using ServerlessBert.Testing;

namespace ServerlessBert.Modeling.Tests.Tokenization;

/// <summary>Tokenizers as people have them, each a folder of ../shared/data/field-cases, and more of their kinds.</summary>
public sealed class FieldCaseTests : IDisposable
{
    private const string Words = "[PAD]\n[UNK]\n[CLS]\n[SEP]\ngreat\nfood\n[unused0]\n<\nurl\n>\n";

    private readonly string folder = Directory.CreateTempSubdirectory("tokenizer-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [SharedDataTheory]
    [InlineData("added-tokens-json", "great food <url> [BRAND]", 512, "2 57 58 76 77 3")]
    [InlineData("added-tokens-tokenizer-json", "great food <url> [BRAND]", 512, "2 57 58 76 77 3")]
    [InlineData("special-tokens-map", "great food", 512, "2 57 58 3")]
    [InlineData("truncation-left", "one two three four five six great food", 5, "2 75 57 58 3")]
    public void A_field_case_has_the_ids_that_Hugging_Face_gives(string name, string text, int maxLength, string ids)
    {
        BertTokenizer tokenizer = BertTokenizer.FromFolder(SharedData.PathOf("field-cases", name, "model"));
        Assert.Equal(ids, string.Join(' ', tokenizer.Encode(text, maxLength)));
        tokenizer.Save(folder);
        Assert.Equal(ids, string.Join(' ', BertTokenizer.FromFolder(folder).Encode(text, maxLength)));
    }

    [Theory]
    [InlineData("added_tokens.json", """{"<url>":10,"<user>":11}""", "great<url><user>", "2 4 10 11 3")]
    [InlineData("tokenizer_config.json", """{"added_tokens_decoder":{"10":{"content":"<url>","special":true}}}""", "<url> <URL>", "2 10 7 8 9 3")]
    [InlineData("tokenizer_config.json", """{"additional_special_tokens":["[unused0]"]}""", "great [unused0]", "2 4 6 3")]
    [InlineData("special_tokens_map.json", """{"additional_special_tokens":[{"content":"<new>"}]}""", "great <new>food", "2 4 10 5 3")]
    [InlineData("special_tokens_map.json", """{"cls_token":{"content":"[unused0]"}}""", "great", "6 4 3")]
    [InlineData("tokenizer_config.json", """{"truncation_side":"left"}""", "food food food food food great", "2 5 5 5 5 4 3")]
    [InlineData("tokenizer_config.json", """{"split_special_tokens":true}""", "great [SEP] food", "2 4 1 1 1 5 3")]
    public void A_file_of_the_folder_is_read_as_Hugging_Face_reads_it(string file, string text, string input, string ids)
    {
        File.WriteAllText(Path.Combine(folder, "vocab.txt"), Words);
        File.WriteAllText(Path.Combine(folder, file), text);
        Assert.Equal(ids, string.Join(' ', BertTokenizer.FromFolder(folder).Encode(input, 7)));
    }

    [Fact]
    public void A_vocabulary_without_a_mask_tokenizes_and_says_that_it_has_none()
    {
        File.WriteAllText(Path.Combine(folder, "vocab.txt"), Words);
        BertTokenizer tokenizer = BertTokenizer.FromFolder(folder);
        Assert.Null(tokenizer.MaskId);
        Assert.Equal([2, 4, 3, 5, 3], tokenizer.Encode("great [SEP] food"));
        Assert.DoesNotContain(tokenizer.SeparatorId, tokenizer.ForUntrustedText().Encode("great [SEP] food")[1..^1]);
    }
}
