using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using ServerlessBert.Modeling;
using ServerlessBert.Pipeline.Operations;

if (args is ["--check"]) return await SelfCheck.RunAsync(new ConfigurationBuilder().AddEnvironmentVariables().Build(), Console.Out) ? 0 : 1;
if (!LibTorch.TryLoad(out string? reason))
{
    Console.Error.WriteLine(reason);
    return 1;
}

FunctionsApplicationBuilder builder = FunctionsApplication.CreateBuilder(args);
builder.ConfigureFunctionsWebApplication();
builder.Services.AddReviewPipeline(builder.Configuration);
await builder.Build().RunAsync();
return Environment.ExitCode;
