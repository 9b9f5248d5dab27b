using ServerlessBert.Cli.HuggingFace;

namespace ServerlessBert.Cli.Tests.HuggingFace;

/// <summary>What the hub refuses is said in a sentence that tells what to do.</summary>
public sealed class RefusalTests : PullTest
{
    [Theory]
    [InlineData(401, null, "it is gated or private, or has another name; set HF_TOKEN")]
    [InlineData(403, null, "it is gated or private, or has another name; set HF_TOKEN")]
    [InlineData(401, "hf_secret", "to the owner of HF_TOKEN (401)")]
    [InlineData(403, "hf_secret", "ask for access at")]
    public async Task A_gated_or_private_model_says_what_opens_it(int status, string? token, string expected)
    {
        Hub.Interfere = (context, _) =>
        {
            context.Response.StatusCode = status;
            return Task.FromResult(true);
        };
        HubException refused = await RefusedAsync(Options with { Token = token });
        Assert.Contains(expected, refused.Message, StringComparison.Ordinal);
        Assert.Contains(LocalHub.Name, refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", refused.Message, StringComparison.Ordinal);
        Assert.Empty(Remarks); // asking again would not help
    }

    [Fact]
    public async Task A_model_whose_files_alone_are_gated_says_what_opens_it()
    {
        Hub.Interfere = (context, _) =>
        {
            bool isFile = context.Request.Path.Value!.Contains("/resolve/", StringComparison.Ordinal);
            if (isFile) context.Response.StatusCode = 401;
            return Task.FromResult(isFile);
        };
        Assert.Contains("set HF_TOKEN", (await RefusedAsync()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_name_that_is_not_there_is_named() =>
        Assert.Contains("has no model named team/other.", (await RefusedAsync(name: "team/other")).Message, StringComparison.Ordinal);

    [Fact]
    public async Task A_revision_that_is_not_there_is_named() =>
        Assert.Contains(
            $"{LocalHub.Name} has no revision 'refs/pr/9'", (await RefusedAsync(revision: "refs/pr/9")).Message, StringComparison.Ordinal);

    [Fact]
    public async Task A_server_that_is_no_hub_is_said()
    {
        Hub.Interfere = async (context, _) =>
        {
            await context.Response.Body.WriteAsync("<html>welcome</html>"u8.ToArray());
            return true;
        };
        Assert.Contains("is HF_ENDPOINT right?", (await RefusedAsync()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Files_of_two_commits_are_not_put_together()
    {
        Hub.Interfere = (context, _) =>
        {
            bool isHead = context.Request.Method == "HEAD";
            if (isHead) context.Response.Headers["X-Repo-Commit"] = new string('f', 40);
            return Task.FromResult(isHead);
        };
        Assert.Contains("files of two commits", (await RefusedAsync()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_chain_of_redirects_without_end_is_left()
    {
        Hub.Interfere = (context, _) =>
        {
            context.Response.Redirect(context.Request.Path);
            return Task.FromResult(true);
        };
        Assert.Contains("redirected more than", (await RefusedAsync()).Message, StringComparison.Ordinal);
    }
}
