using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using ServerlessBert.Functions.Reviews;
using ServerlessBert.Pipeline.Operations;
using ServerlessBert.Pipeline.Settings;
using ServerlessBert.Pipeline.Storage;

namespace ServerlessBert.LocalHost;

/// <summary>The functions in this process, fed as the Functions host feeds them: queues, timers and HTTP, by the same attributes.</summary>
public sealed class FunctionsHost : IAsyncDisposable
{
    private readonly WebApplication application;
    private readonly AzuriteProcess? azurite;
    private readonly TextWriter output;

    private FunctionsHost(WebApplication application, AzuriteProcess? azurite, TextWriter output) =>
        (this.application, this.azurite, this.output) = (application, azurite, output);

    /// <summary>Where HTTP functions answer.</summary>
    public Uri Address => new(application.Urls.First());

    /// <summary>Runs until the token, then drains.</summary>
    /// <exception cref="HostStartException">The host cannot start; the message says why.</exception>
    /// <exception cref="HostFailedException">A loop of the host ended by itself; the message says which.</exception>
    /// <exception cref="OperationCanceledException">It was stopped before it had started.</exception>
    public static async Task RunAsync(FunctionsHostOptions options, CancellationToken cancellationToken = default)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await using FunctionsHost host = await StartAsync(options, stop.Token);
        await using CancellationTokenRegistration failed = host.application.Lifetime.ApplicationStopping.Register(stop.Cancel);
        await Task.Delay(Timeout.Infinite, stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await host.StopAsync();
        host.ThrowIfFailed();
    }

    /// <summary>Starts serving.</summary>
    /// <exception cref="HostStartException">The host cannot start; the message says why.</exception>
    public static async Task<FunctionsHost> StartAsync(FunctionsHostOptions options, CancellationToken cancellationToken = default)
    {
        RequireFreePort(options.Url);
        IConfiguration configuration = options.Configuration ?? HostSettings.Load();
        AzuriteProcess? azurite = options.StartAzurite
            ? await AzuriteProcess.EnsureAsync(configuration, options.AzuriteFolder, cancellationToken) : null;
        WebApplication? application = null;
        try
        {
            IConfiguration hostJson = HostSettings.LoadHostJson();
            var triggers = new FunctionTriggers(
                FunctionMethod.Discover(options.FunctionTypes ?? typeof(ClassifyBatch).Assembly.GetExportedTypes()),
                configuration, options.Queues ?? QueueTriggerOptions.FromHostJson(hostJson));
            application = Build(options, configuration, hostJson, triggers);
            application.Services.ValidateSettings(); // before the host does, which would log a failure with its trace
            triggers.MapRoutes(application);
            await StartAsync(application, options, cancellationToken);

            var host = new FunctionsHost(application, azurite, options.Output ?? Console.Out);
            await host.DescribeAsync(triggers, options);
            return host;
        }
        catch
        {
            if (application is not null) await application.DisposeAsync();
            if (azurite is not null) await azurite.DisposeAsync();
            throw;
        }
    }

    /// <summary>Takes no more work and waits for what is in hand, as long as <see cref="FunctionsHostOptions.DrainTimeout"/>.</summary>
    public async Task StopAsync()
    {
        int inHand = application.Services.GetServices<IHostedService>().OfType<QueueListener>().Sum(listener => listener.InHand);
        await output.WriteLineAsync(
            inHand == 0 ? "Stopping." : $"Stopping: no more messages are taken, {inHand} in hand will be finished.");
        await application.StopAsync(CancellationToken.None);
        await output.WriteLineAsync("Stopped.");
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await application.DisposeAsync();
        if (azurite is not null) await azurite.DisposeAsync();
    }

    private void ThrowIfFailed()
    {
        BackgroundService? failed = application.Services.GetServices<IHostedService>().OfType<BackgroundService>()
            .FirstOrDefault(service => service.ExecuteTask is { IsFaulted: true });
        if (failed?.ExecuteTask?.Exception is { } cause)
            throw new HostFailedException(
                $"{failed.GetType().Name} ended by itself ({cause.GetBaseException().Message.TrimEnd('.')}); start the host again.", cause);
    }

    /// <summary>Looked at before anything is started; Kestrel itself would log a stack trace first.</summary>
    private static void RequireFreePort(string url)
    {
        var address = new Uri(url);
        if (address.Port == 0 || !IPAddress.TryParse(address.Host, out IPAddress? host)) return;
        using var probe = new Socket(host.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            probe.Bind(new IPEndPoint(host, address.Port));
            probe.Listen();
        }
        catch (SocketException exception)
        {
            throw CannotServe(url, exception);
        }
    }

    private static HostStartException CannotServe(string url, Exception cause) =>
        new($"HTTP functions cannot be served at {url} ({cause.Message.TrimEnd('.')}); end what listens there, or choose another "
            + $"address.", cause);

    private static WebApplication Build(
        FunctionsHostOptions options, IConfiguration configuration, IConfiguration hostJson, FunctionTriggers triggers)
    {
        WebApplicationBuilder builder =
            WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        // Only our settings: an appsettings.json or ASPNETCORE_URLS of somebody else's changes nothing.
        builder.Configuration.Sources.Clear();
        builder.Configuration.AddConfiguration(configuration);
        builder.Logging.ClearProviders().AddConfiguration(hostJson.GetSection("logging"))
            .AddConsole(console => console.FormatterName = EscapedConsoleFormatter.FormatterName)
                .AddConsoleFormatter<EscapedConsoleFormatter, ConsoleFormatterOptions>();
        builder.Logging.AddFilter("Microsoft.Hosting.Lifetime", LogLevel.Warning);
        builder.Services.Configure<HostOptions>(host =>
        {
            host.ShutdownTimeout = options.DrainTimeout;
            host.ServicesStopConcurrently = true;
        });
        builder.Services.AddSingleton<IHostLifetime, CallersLifetime>();
        builder.Services.AddMvcCore();
        builder.Services.AddReviewPipeline(configuration);
        // The drain comes before functions are cancelled here; they need no grace of their own.
        builder.Services.AddSingleton(new InvocationGrace(TimeSpan.Zero));
        options.ConfigureServices?.Invoke(builder.Services);
        builder.Services.TryAddSingleton(_ => PipelineStorage.FromConfiguration(configuration));
        builder.Services.AddSingleton<FunctionInvoker>();
        triggers.AddListeners(builder.Services);
        if (options.StartTrainer) builder.Services.AddSingleton<IHostedService>(
            provider => CreateTrainerStarter(options, configuration, provider));

        WebApplication application = builder.Build();
        application.Urls.Add(options.Url);
        return application;
    }

    private static TrainerStarter CreateTrainerStarter(
        FunctionsHostOptions options, IConfiguration configuration, IServiceProvider services)
    {
        TextWriter output = options.Output ?? Console.Out;
        return new TrainerStarter(
            services.GetRequiredService<PipelineStorage>().RawQueue(StorageNames.TrainingRequests),
            options.TrainerCommand ?? ["dotnet", Path.Combine(AppContext.BaseDirectory, "ServerlessBert.Trainer.dll"), "--once"],
            HostSettings.AsEnvironment(configuration),
            line => output.WriteLine($"trainer | {TerminalText.Escape(line)}"),
            services.GetRequiredService<ILoggerFactory>().CreateLogger("Trainer"));
    }

    private static async Task StartAsync(WebApplication application, FunctionsHostOptions options, CancellationToken cancellationToken)
    {
        try
        {
            await application.Services.GetRequiredService<PipelineStorage>().CreateAsync(cancellationToken);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested && StorageErrors.IsTransient(exception))
        {
            throw new HostStartException(
                $"The storage account does not let its containers and queues be created "
                    + $"({StorageErrors.Sentence(exception).TrimEnd('.')}); check AzureWebJobsStorage and your roles.", exception);
        }
        catch (SettingsException exception)
        {
            throw new HostStartException(exception.Message, exception);
        }
        try
        {
            await application.StartAsync(cancellationToken);
        }
        catch (IOException exception)
        {
            throw CannotServe(options.Url, exception);
        }
    }

    private async Task DescribeAsync(FunctionTriggers triggers, FunctionsHostOptions options)
    {
        PipelineStorage storage = application.Services.GetRequiredService<PipelineStorage>();
        string account = storage.AccountName + (storage.Prefix.Length == 0 ? "" : $", names that begin with {storage.Prefix}");
        string[] lines =
        [
            azurite is null ? $"storage   {account}" : $"storage   {account}: Azurite, started here, its data in {azurite.Folder}",
            .. triggers.Describe(Address),
            options.StartTrainer ? $"trainer   {StorageNames.TrainingRequests} → a process here"
                : $"trainer   not started here; {StorageNames.TrainingRequests} waits",
        ];
        await output.WriteLineAsync(string.Join(Environment.NewLine, lines));
    }
}

/// <summary>The host ends when its caller says so, who listens for signals.</summary>
internal sealed class CallersLifetime : IHostLifetime
{
    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
