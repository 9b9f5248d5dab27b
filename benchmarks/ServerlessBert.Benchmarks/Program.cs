using System.CommandLine;
using ServerlessBert.Benchmarks;
using ServerlessBert.Benchmarks.Inference;
using ServerlessBert.Benchmarks.Results;
using ServerlessBert.Benchmarks.Training;

var root = new RootCommand("Measures the pipeline and the model; prints Markdown.")
{
    SplitBenchmark.Command(), CallsBenchmark.Command(), TrainingBenchmark.Command(),
    InferenceBenchmark.Command(), LengthsBenchmark.Command(), BatchBenchmark.Command(), ColdBenchmark.Command(),
        MemoryBenchmark.Command(), TokenizerBenchmark.Command(), StarsBenchmark.Command(),
    ReadmeFigures.Command(),
};
return await root.Parse(args).InvokeAsync();
