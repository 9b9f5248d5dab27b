using Microsoft.Extensions.Hosting;

namespace Microsoft.Azure.Functions.Worker.Builder;

/// <summary>Ends the program with one sentence and exit code 1.</summary>
internal sealed class StandInNotice(IHostApplicationLifetime lifetime) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        Console.Error.WriteLine(
            "This build has a stand-in for the Azure Functions Worker packages, which the package feed lacked: run the functions with ./sbert host, or build where the feed has the packages.");
        Environment.ExitCode = 1;
        lifetime.StopApplication();
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
