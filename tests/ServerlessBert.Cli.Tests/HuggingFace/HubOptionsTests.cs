using CsCheck;
using ServerlessBert.Cli.HuggingFace;
using ServerlessBert.Cli.Input;

namespace ServerlessBert.Cli.Tests.HuggingFace;

public sealed class HubOptionsTests
{
    [Fact]
    public void Without_variables_it_is_the_public_hub_and_nobody() =>
        Assert.Equal(("https://huggingface.co", null), (From(null, null).Endpoint, From(null, " ").Token));

    [Fact]
    public void An_endpoint_may_have_a_path_and_loses_the_slash_at_its_end() =>
        Assert.Equal("https://mirror.example/hub", From("https://mirror.example/hub/", null).Endpoint);

    [Theory]
    [InlineData("huggingface.co")]
    [InlineData("ftp://huggingface.co")]
    [InlineData("https://user:password@huggingface.co")]
    [InlineData("https://huggingface.co?x=1")]
    public void What_is_no_address_is_wrong_usage(string endpoint) => Assert.Throws<UsageException>(() => From(endpoint, null));

    [Fact]
    public void A_token_of_two_lines_is_wrong_usage_and_is_not_repeated() =>
        Assert.DoesNotContain(
            "hf_one", Assert.Throws<UsageException>(() => From(null, "hf_one\nhf_two")).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("https://hub.example/x", true)]
    [InlineData("https://HUB.example:443/", true)]
    [InlineData("http://hub.example/x", false)]
    [InlineData("https://hub.example:8443/x", false)]
    [InlineData("https://hub.example.evil.example/x", false)]
    [InlineData("https://hub.example@evil.example/x", false)]
    public void The_hub_is_its_scheme_host_and_port(string address, bool isHub) =>
        Assert.Equal(isHub, From("https://hub.example", null).IsHub(new Uri(address)));

    [Theory]
    [InlineData("bert-base-cased")]
    [InlineData("google-bert/bert-base-cased")]
    [InlineData("a/b")]
    [InlineData("_a/b_1.2-c")]
    public void A_name_reads_back_as_it_was_written(string name) => Assert.Equal(name, ModelName.Parse(name).ToString());

    [Theory]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("owner/")]
    [InlineData("/name")]
    [InlineData("a/b/c")]
    [InlineData("..")]
    [InlineData("../name")]
    [InlineData("owner/..")]
    [InlineData("own er/name")]
    [InlineData("owner\\name")]
    [InlineData("-owner/name")]
    [InlineData("owner/na--me")]
    [InlineData("owner/name\n")]
    [InlineData("https://huggingface.co/owner/name")]
    public void What_is_no_name_is_wrong_usage(string name) => Assert.Throws<UsageException>(() => ModelName.Parse(name));

    [Fact]
    public void Whatever_name_is_taken_its_folder_stays_where_it_is() => Gen.String[Gen.Char["ab./\\:-_ \n"], 0, 8].Sample(text =>
    {
        string folder;
        try { folder = ModelName.Parse(text).Name; }
        catch (UsageException) { return; }
        Assert.Equal(Path.Combine(Path.GetTempPath(), folder), Path.GetFullPath(folder, Path.GetTempPath()));
        Assert.Equal(folder, Path.GetFileName(folder));
    });

    private static HubOptions From(string? endpoint, string? token) =>
        HubOptions.FromEnvironment(name => name switch { "HF_ENDPOINT" => endpoint, "HF_TOKEN" => token, _ => null });
}
