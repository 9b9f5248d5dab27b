using System.Diagnostics;
using ServerlessBert.Modeling.Bert;
using ServerlessBert.Modeling.Checkpoints;
using ServerlessBert.Modeling.Tests.Bert;
using Xunit.Abstractions;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling.Tests.Checkpoints;

[Collection(GlobalRandomState.Name)]
public sealed class FullSizeCheckpointTests(ITestOutputHelper output) : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    [Trait("Speed", "Slow")]
    public void A_model_of_bert_base_cased_size_loads_to_the_same_bits_in_its_own_size_of_memory()
    {
        using var noGrad = no_grad();
        using var ids = randint(1000, 28996, [2, 64], dtype: int64);
        using var expected = SavedLogits(ids);
        long size = new FileInfo(folder.File("model.safetensors")).Length;
        GC.Collect();
        GC.WaitForPendingFinalizers();

        long before = ResidentBytes();
        var clock = Stopwatch.StartNew();
        using var model = LoadedModel.Load(folder.Path).Model;
        var elapsed = clock.Elapsed;
        long taken = ResidentBytes() - before;

        output.WriteLine($"{size / 1e6:f0} MB loaded in {elapsed.TotalSeconds:f2} s, resident memory grew by {taken / 1e6:f0} MB");
        model.eval();
        using var actual = model.call(ids, null, null);
        Assert.Equal(108_314_117, model.parameters().Sum(parameter => parameter.numel()));
        Assert.True(expected.equal(actual).all().item<bool>());
        Assert.True(taken < size * 1.1, $"loading {size} bytes took {taken}");
    }

    private Tensor SavedLogits(Tensor ids)
    {
        var clock = Stopwatch.StartNew();
        using var model = BertForSequenceClassificationTests.Seeded(BertConfig.Preset("base", 28996));
        output.WriteLine($"made in {clock.Elapsed.TotalSeconds:f2} s");
        clock.Restart();
        model.SaveTo(folder.Path);
        output.WriteLine($"saved in {clock.Elapsed.TotalSeconds:f2} s");
        return model.call(ids, null, null);
    }

    private static long ResidentBytes()
    {
        using var process = Process.GetCurrentProcess();
        return process.WorkingSet64;
    }
}
