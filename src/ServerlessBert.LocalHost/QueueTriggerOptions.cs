using System.Globalization;
using Microsoft.Extensions.Configuration;

namespace ServerlessBert.LocalHost;

/// <summary>
/// host.json's <c>extensions.queues</c>, with the Functions host's own defaults, and the <c>lease</c> that this host adds.
/// </summary>
public sealed record QueueTriggerOptions
{
    /// <summary>Messages taken at once, 1 to 32.</summary>
    public int BatchSize { get; init; } = 16;

    /// <summary>More are taken when no more than this many are in hand; at most both together are in hand.</summary>
    public int NewBatchThreshold { get; init; } = 8 * Environment.ProcessorCount;

    /// <summary>How long a message whose function failed stays invisible before its next attempt.</summary>
    public TimeSpan VisibilityTimeout { get; init; } = TimeSpan.Zero;

    /// <summary>Attempts before a message moves to the poison queue.</summary>
    public int MaxDequeueCount { get; init; } = 5;

    /// <summary>Longest delay between two looks at an empty queue.</summary>
    public TimeSpan MaxPollingInterval { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Whether messages are Base64 of their body (<c>base64</c>) or the body itself (<c>none</c>).</summary>
    public bool IsBase64 { get; init; } = true;

    /// <summary>How long a message in hand stays invisible after its last renewal: a killed host's messages are back this soon.</summary>
    public TimeSpan Lease { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How often the lease is renewed: two renewals may fail before it is lost.</summary>
    public TimeSpan Renewal { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Reads host.json.</summary>
    /// <exception cref="HostStartException">A value is none of its kind or out of its range.</exception>
    public static QueueTriggerOptions FromHostJson(IConfiguration hostJson)
    {
        IConfiguration queues = hostJson.GetSection("extensions:queues");
        var defaults = new QueueTriggerOptions();
        int batchSize = Read(queues, "batchSize", defaults.BatchSize, int.Parse, value => value is >= 1 and <= 32);
        TimeSpan lease = Read(queues, "lease", defaults.Lease, TimeSpan.Parse, value => value.TotalSeconds >= 1 && value.TotalDays <= 7);
        return defaults with
        {
            BatchSize = batchSize,
            NewBatchThreshold =
                Read(queues, "newBatchThreshold", batchSize / 2 * Environment.ProcessorCount, int.Parse, value => value >= 0),
            VisibilityTimeout =
                Read(queues, "visibilityTimeout", defaults.VisibilityTimeout, TimeSpan.Parse,
                value => value >= TimeSpan.Zero && value.TotalDays <= 7),
            MaxDequeueCount = Read(queues, "maxDequeueCount", defaults.MaxDequeueCount, int.Parse, value => value >= 1),
            MaxPollingInterval =
                Read(queues, "maxPollingInterval", defaults.MaxPollingInterval, TimeSpan.Parse, value => value.TotalMilliseconds >= 100),
            Lease = lease,
            Renewal = lease / 3,
            IsBase64 = Read(
                queues, "messageEncoding", "base64", (text, _) => text.ToLowerInvariant(), value =>
                value is "base64" or "none") == "base64",
        };
    }

    private static T Read<T>(IConfiguration queues, string name, T missing, Func<string, IFormatProvider, T> parse, Func<T, bool> isValid)
    {
        if (queues[name] is not { } text) return missing;
        try
        {
            T value = parse(text, CultureInfo.InvariantCulture);
            if (isValid(value)) return value;
        }
        catch (Exception exception) when (exception is FormatException or OverflowException)
        {
            throw new HostStartException(
                $"host.json: extensions.queues.{name} is \"{text}\", which cannot be read; correct it.", exception);
        }
        throw new HostStartException($"host.json: extensions.queues.{name} is \"{text}\", which is out of its range; correct it.");
    }
}
