using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using ServerlessBert.Functions.Reviews;
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
builder.Services.AddSingleton(InvocationGrace.OfFunctionsHost);
IHost host = builder.Build();
BackgroundService[] loops = [.. host.Services.GetServices<IHostedService>().OfType<BackgroundService>()];
await host.RunAsync();
// A loop that failed has stopped the host; the error lets the Functions host start the worker again.
return loops.Any(loop => loop.ExecuteTask is { IsFaulted: true }) ? 1 : Environment.ExitCode;
