using System.CommandLine;
using ServerlessBert.Benchmarks;

var root = new RootCommand("Measures the pipeline; prints Markdown.") { SplitBenchmark.Command(), CallsBenchmark.Command() };
return await root.Parse(args).InvokeAsync();
