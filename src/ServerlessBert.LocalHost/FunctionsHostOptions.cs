using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace ServerlessBert.LocalHost;

/// <summary>How the in-process host runs.</summary>
public sealed record FunctionsHostOptions
{
    /// <summary>Where HTTP functions are served: the Functions host's own port, this machine only.</summary>
    public string Url { get; init; } = "http://127.0.0.1:7071";

    /// <summary>Whether Azurite is started where development storage is configured and nothing answers.</summary>
    public bool StartAzurite { get; init; } = true;

    /// <summary>Where Azurite keeps its data; null takes .azurite/ in the repository.</summary>
    public string? AzuriteFolder { get; init; }

    /// <summary>Whether training requests start the trainer, as the container job's scaler does in Azure.</summary>
    public bool StartTrainer { get; init; } = true;

    /// <summary>How long stopping waits for messages in hand: longer than a batch takes.</summary>
    public TimeSpan DrainTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Settings; null takes <see cref="HostSettings.Load()"/>.</summary>
    public IConfiguration? Configuration { get; init; }

    /// <summary>Limits of queue triggers; null takes host.json's.</summary>
    public QueueTriggerOptions? Queues { get; init; }

    /// <summary>Types whose functions are served; null takes every type of ServerlessBert.Functions.</summary>
    public IReadOnlyList<Type>? FunctionTypes { get; init; }

    /// <summary>Adds to the services of functions, after the pipeline's own.</summary>
    public Action<IServiceCollection>? ConfigureServices { get; init; }

    /// <summary>The trainer's program and arguments; null takes the Trainer beside this program.</summary>
    public IReadOnlyList<string>? TrainerCommand { get; init; }

    /// <summary>Where the host says what it serves; null takes standard output.</summary>
    public TextWriter? Output { get; init; }
}

/// <summary>The host cannot start.</summary>
/// <param name="message">One sentence: what, where, what to do.</param>
/// <param name="cause">What lies behind it, for a log.</param>
public sealed class HostStartException(string message, Exception? cause = null) : ServerlessBertException(message, cause);

/// <summary>The host ended by itself.</summary>
/// <param name="message">One sentence: what, where, what to do.</param>
/// <param name="cause">What lies behind it.</param>
public sealed class HostFailedException(string message, Exception cause) : ServerlessBertException(message, cause);
