using ServerlessBert.Testing;

namespace ServerlessBert.Cli.Tests.Commands;

/// <summary>A storage account that refuses, or is none.</summary>
[Collection(AzuriteCollection.Name)]
public sealed class StorageRefusalTests(AzuriteFixture azurite) : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("host", "--no-azurite", "--no-trainer", "--port", "0")]
    [InlineData("drop", "a.txt")]
    [InlineData("status")]
    public async Task A_storage_account_that_refuses_ends_every_verb_with_one_sentence(params string[] arguments)
    {
        string file = folder.File("a.txt", "good food\n");
        string wrongKey = Convert.ToBase64String(new byte[64]);
        string connection =
            string.Join(';',
            azurite.ConnectionString.Split(';')
            .Select(part => part.StartsWith("AccountKey=", StringComparison.Ordinal) ? $"AccountKey={wrongKey}" : part));

        var result = await SbertProcess.RunAsync(
            [.. arguments.Select(argument => argument == "a.txt" ? file : argument)],
            environment: new Dictionary<string, string> { ["AzureWebJobsStorage"] = connection });

        Assert.Equal(1, result.ExitCode);
        Assert.DoesNotContain("   at ", result.Errors + result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(wrongKey, result.Errors + result.Output, StringComparison.Ordinal);
        Assert.Single(result.Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }
}
