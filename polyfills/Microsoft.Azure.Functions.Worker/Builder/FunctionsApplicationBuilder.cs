using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Microsoft.Azure.Functions.Worker.Builder;

/// <summary>Builds a host that, instead of listening to the Functions host, says that this build cannot.</summary>
public class FunctionsApplicationBuilder
{
    private readonly HostApplicationBuilder builder;

    internal FunctionsApplicationBuilder(string[]? args) => builder = Host.CreateApplicationBuilder(args);

    /// <summary>The application's settings.</summary>
    public ConfigurationManager Configuration => builder.Configuration;

    /// <summary>The application's services.</summary>
    public IServiceCollection Services => builder.Services;

    /// <summary>The host; it starts nothing of the application.</summary>
    public IHost Build()
    {
        builder.Logging.ClearProviders();
        builder.Services.RemoveAll<IHostedService>();
        builder.Services.AddHostedService<StandInNotice>();
        return builder.Build();
    }
}
