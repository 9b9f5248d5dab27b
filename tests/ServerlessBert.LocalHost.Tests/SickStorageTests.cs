using System.Collections.Concurrent;
using System.Text;
using Azure.Core.Pipeline;
using Azure.Storage.Queues;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using ServerlessBert.Testing;

namespace ServerlessBert.LocalHost.Tests;

/// <summary>The host's loops outlive whatever a sick network answers; where one cannot, the host ends with an error.</summary>
[Collection(AzuriteCollection.Name)]
public sealed class SickStorageTests(AzuriteFixture azurite) : IDisposable
{
    private readonly SickHttp network = new();

    public void Dispose() => network.Dispose();

    [Theory]
    [InlineData(Sickness.Html)]
    [InlineData(Sickness.HalfBody)]
    public async Task A_queue_listener_takes_messages_again_after_the_storage_was_sick(Sickness sickness)
    {
        QueueClient queue = await CreateQueueAsync();
        await queue.SendMessageAsync(Convert.ToBase64String(Encoding.UTF8.GetBytes("after all")));
        var options = new QueueTriggerOptions
        {
            BatchSize = 1,
            MaxPollingInterval = TimeSpan.FromMilliseconds(200),
            Lease = TimeSpan.FromSeconds(1),
            Renewal = TimeSpan.FromMilliseconds(300)
        };
        var seen = new ConcurrentQueue<string>();
        using var listener = new QueueListener("Test", queue, null, options, (message, _) =>
        {
            seen.Enqueue(message.Body.ToString());
            return Task.CompletedTask;
        }, NullLogger.Instance);
        network.Sickness = sickness;
        await listener.StartAsync(default);
        await Eventually.IsTrueAsync(() => network.Answered >= 5);
        Assert.Empty(seen);

        network.Sickness = Sickness.None;

        await Eventually.IsTrueAsync(() => !seen.IsEmpty);
        await listener.StopAsync(default);
        Assert.Equal("after all", seen.First());
    }

    [Theory]
    [InlineData(Sickness.Html)]
    [InlineData(Sickness.HalfBody)]
    public async Task The_trainer_is_started_after_the_storage_was_sick(Sickness sickness)
    {
        QueueClient queue = await CreateQueueAsync();
        await queue.SendMessageAsync("{ not Base64 }");
        var lines = new ConcurrentQueue<string>();
        using var starter =
            new TrainerStarter(queue, ["sh", "-c", "echo trained"], new Dictionary<string, string>(), lines.Enqueue, NullLogger.Instance);
        network.Sickness = sickness;
        await starter.StartAsync(default);
        await Eventually.IsTrueAsync(() => network.Answered >= 2);
        Assert.Empty(lines);

        network.Sickness = Sickness.None;

        await Eventually.IsTrueAsync(() => lines.Contains("trained"));
        await starter.StopAsync(default);
    }

    [Fact]
    public async Task A_message_in_hand_stays_invisible_though_a_renewal_was_answered_with_HTML()
    {
        QueueClient queue = await CreateQueueAsync();
        await queue.SendMessageAsync(Convert.ToBase64String("long"u8));
        var options = new QueueTriggerOptions
        {
            BatchSize = 1,
            MaxPollingInterval = TimeSpan.FromMilliseconds(100),
            Lease = TimeSpan.FromSeconds(3),
            Renewal = TimeSpan.FromMilliseconds(500)
        };
        int runs = 0;
        using var listener = new QueueListener("Test", queue, null, options, async (_, cancellationToken) =>
        {
            Interlocked.Increment(ref runs);
            network.Sickness = Sickness.Html;
            await Task.Delay(1200, cancellationToken);
            network.Sickness = Sickness.None;
            await Task.Delay(3000, cancellationToken);
        }, NullLogger.Instance);
        await listener.StartAsync(default);

        await Eventually.IsTrueAsync(async () => (await queue.GetPropertiesAsync()).Value.ApproximateMessagesCount == 0);
        await listener.StopAsync(default);
        Assert.Equal(1, runs);
    }

    [Fact]
    public async Task A_loop_that_fails_for_good_ends_the_host_with_an_error()
    {
        var options = new FunctionsHostOptions
        {
            Configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
            {
                ["AzureWebJobsStorage"] = azurite.ConnectionString,
                ["ServerlessBert:Storage:Prefix"] = AzuriteFixture.NewPrefix(),
            }).Build(),
            Url = "http://127.0.0.1:0",
            StartTrainer = false,
            FunctionTypes = [],
            ConfigureServices = services => services.AddHostedService<BrokenLoop>(),
            Output = TextWriter.Null,
        };

        var exception = await Assert.ThrowsAsync<HostFailedException>(
            () => FunctionsHost.RunAsync(options).WaitAsync(TimeSpan.FromSeconds(30)));

        Assert.Equal("BrokenLoop ended by itself (it cannot go on); start the host again.", exception.Message);
    }

    private async Task<QueueClient> CreateQueueAsync()
    {
        var options = new QueueClientOptions { Transport = new HttpClientTransport(new HttpClient(network, disposeHandler: false)) };
        options.Retry.MaxRetries = 0;
        var queue = new QueueClient(azurite.ConnectionString, AzuriteFixture.NewPrefix() + "queue", options);
        await queue.CreateAsync();
        return queue;
    }

    private sealed class BrokenLoop : BackgroundService
    {
        protected override async Task ExecuteAsync(CancellationToken stoppingToken)
        {
            await Task.Delay(200, stoppingToken);
            throw new InvalidOperationException("it cannot go on.");
        }
    }
}
