using Microsoft.Extensions.Configuration;
using ServerlessBert.Trainer;

return await TrainerProgram.RunAsync(args, new ConfigurationBuilder().AddEnvironmentVariables().Build());
