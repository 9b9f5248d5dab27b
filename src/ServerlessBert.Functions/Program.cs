using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using ServerlessBert;
using ServerlessBert.Modeling;
using ServerlessBert.Pipeline.Operations;
using ServerlessBert.Pipeline.Settings;

if (args is ["--check"]) return await SelfCheck.RunAsync(new ConfigurationBuilder().AddEnvironmentVariables().Build(), Console.Out) ? 0 : 1;
if (!LibTorch.TryLoad(out string? reason))
{
    Console.Error.WriteLine(reason);
    return 1;
}

FunctionsApplicationBuilder builder = FunctionsApplication.CreateBuilder(args);
builder.ConfigureFunctionsWebApplication();
builder.Services.AddReviewPipeline(builder.Configuration);
using IHost host = builder.Build();
try
{
    host.Services.ValidateSettings();
    await host.RunAsync();
    return Environment.ExitCode;
}
catch (ServerlessBertException exception)
{
    Console.Error.WriteLine(exception.Message);
    return 1;
}
