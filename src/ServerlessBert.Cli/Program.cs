using ServerlessBert.Cli;
using ServerlessBert.Cli.Output;

StandardOutput.Attach();
using var signals = new StopSignals();
return await CommandLine.RunAsync(args, signals.Token);
