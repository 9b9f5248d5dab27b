using ServerlessBert.Cli;

return await CommandLine.RunAsync(args);
