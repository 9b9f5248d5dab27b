using System.Text.Json;
using ServerlessBert.Cli.Tests.HuggingFace;
using ServerlessBert.Testing;

namespace ServerlessBert.Cli.Tests.Commands;

/// <summary><c>models import</c> and <c>models export</c> as a person runs them.</summary>
public sealed class OnnxCommandTests : IDisposable
{
    private readonly ImportSources sources = new();

    public void Dispose() => sources.Dispose();

    [Fact]
    public async Task An_imported_model_predicts_what_the_exported_one_did()
    {
        SbertProcess.Result imported = await RunAsync("models", "import", sources.Model, "--out", sources.At("imported"), "--json");
        Assert.True(imported.ExitCode == 0, imported.Errors);
        Assert.Equal(2, JsonDocument.Parse(imported.Output).RootElement.GetProperty("layers").GetInt32());
        string[] predict = ["predict", "the food was great .", "--json", "--dtype", "float32", "--model"];
        SbertProcess.Result before = await RunAsync([.. predict, sources.Checkpoint]),
            after = await RunAsync([.. predict, sources.At("imported")]);
        Assert.Equal(0, before.ExitCode);
        Assert.Equal(Probabilities(before.Output), Probabilities(after.Output));
    }

    [Fact]
    public async Task Pull_takes_the_same_sources()
    {
        SbertProcess.Result pulled = await RunAsync("models", "pull", sources.Assembly(), "--out", sources.At("pulled"));
        Assert.True(pulled.ExitCode == 0, pulled.Errors);
        Assert.Equal(sources.At("pulled"), pulled.Output.Trim());
        Assert.True(File.Exists(Path.Combine(sources.At("pulled"), "model.safetensors")));
    }

    [Fact]
    public async Task An_export_prints_its_file_with_the_tokenizers_beside_it()
    {
        SbertProcess.Result exported = await RunAsync("models", "export", sources.Checkpoint, "--onnx", "--out", sources.At("exported"));
        Assert.True(exported.ExitCode == 0, exported.Errors);
        Assert.Equal(Path.Combine(sources.At("exported"), "model.onnx"), exported.Output.Trim());
        Assert.Equal(["config.json", "model.onnx", "tokenizer_config.json", "vocab.txt"], Directory.EnumerateFiles(sources.At("exported"))
            .Select(Path.GetFileName).Order());
        using var session = new OnnxRuntimeSession(exported.Output.Trim());
        Assert.Contains("probabilities", session.Outputs);
    }

    [Theory]
    [InlineData(2, "models", "import", "nuget:nothing", "--out", "x")]
    [InlineData(2, "models", "import", "missing.onnx", "--out", "x")]
    [InlineData(2, "models", "export", "missing", "--onnx", "--out", "x")]
    [InlineData(2, "models", "export", "missing", "--out", "x")]
    public async Task Wrong_usage_ends_with_2_and_a_sentence(int code, params string[] arguments)
    {
        SbertProcess.Result result = await RunAsync(arguments);
        Assert.Equal(code, result.ExitCode);
        Assert.StartsWith("sbert: ", result.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_graph_that_is_not_BERTs_ends_with_1_and_one_sentence()
    {
        File.WriteAllBytes(sources.Model, [0x0A]);
        SbertProcess.Result result = await RunAsync("models", "import", sources.Model, "--out", sources.At("imported"));
        Assert.Equal((1, ""), (result.ExitCode, result.Output));
        Assert.Single(result.Errors.Trim().Split('\n'));
    }

    private static Task<SbertProcess.Result> RunAsync(params string[] arguments) => SbertProcess.RunAsync(arguments);

    private static string Probabilities(string json) => JsonDocument.Parse(json).RootElement.GetProperty("probabilities").GetRawText();
}
