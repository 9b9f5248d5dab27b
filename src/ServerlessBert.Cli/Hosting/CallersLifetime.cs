using Microsoft.Extensions.Hosting;

namespace ServerlessBert.Cli.Hosting;

/// <summary>The host ends when its caller says so: signals are <see cref="DrainSignals"/>' business.</summary>
internal sealed class CallersLifetime : IHostLifetime
{
    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
