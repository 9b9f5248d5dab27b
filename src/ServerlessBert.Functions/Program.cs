using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using ServerlessBert;
using ServerlessBert.Functions.Reviews;
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
builder.Services.AddSingleton(InvocationGrace.OfFunctionsHost);
using IHost host = builder.Build();
BackgroundService[] loops = [.. host.Services.GetServices<IHostedService>().OfType<BackgroundService>()];
try
{
    host.Services.ValidateSettings();
    await host.RunAsync();
    // A loop that failed has stopped the host; the error lets the Functions host start the worker again.
    return loops.Any(loop => loop.ExecuteTask is { IsFaulted: true }) ? 1 : Environment.ExitCode;
}
catch (ServerlessBertException exception)
{
    Console.Error.WriteLine(exception.Message);
    return 1;
}
