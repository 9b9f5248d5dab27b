using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
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

    /// <summary>Runs until Ctrl-C, SIGTERM or the token, then drains. A second Ctrl-C ends the program at once.</summary>
    /// <exception cref="HostStartException">The host cannot start; the message says why.</exception>
    /// <exception cref="OperationCanceledException">It was stopped before it had started.</exception>
    public static async Task RunAsync(FunctionsHostOptions options, CancellationToken cancellationToken = default)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var signals = new DrainSignals(stop.Cancel);
        await using FunctionsHost host = await StartAsync(options, stop.Token);
        await Task.Delay(Timeout.Infinite, stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await host.StopAsync();
    }

    /// <summary>Starts serving.</summary>
    /// <exception cref="HostStartException">The host cannot start; the message says why.</exception>
    public static async Task<FunctionsHost> StartAsync(FunctionsHostOptions options, CancellationToken cancellationToken = default)
    {
        IConfiguration configuration = options.Configuration ?? HostSettings.Load();
        AzuriteProcess? azurite = options.StartAzurite ? await AzuriteProcess.EnsureAsync(configuration, options.AzuriteFolder, cancellationToken) : null;
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
            await host.SayWhatIsServedAsync(triggers, options);
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
        await output.WriteLineAsync(inHand == 0 ? "Stopping." : $"Stopping: no more messages are taken, {inHand} in hand will be finished (Ctrl-C again ends at once).");
        await application.StopAsync(CancellationToken.None);
        await output.WriteLineAsync("Stopped.");
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await application.DisposeAsync();
        if (azurite is not null) await azurite.DisposeAsync();
    }

    private static WebApplication Build(FunctionsHostOptions options, IConfiguration configuration, IConfiguration hostJson, FunctionTriggers triggers)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        // Only our settings: an appsettings.json or ASPNETCORE_URLS of somebody else's changes nothing.
        builder.Configuration.Sources.Clear();
        builder.Configuration.AddConfiguration(configuration);
        builder.Logging.ClearProviders().AddConfiguration(hostJson.GetSection("logging")).AddSimpleConsole(console => console.SingleLine = true);
        builder.Logging.AddFilter("Microsoft.Hosting.Lifetime", LogLevel.Warning);
        builder.Services.Configure<HostOptions>(host =>
        {
            host.ShutdownTimeout = options.DrainTimeout;
            host.ServicesStopConcurrently = true;
        });
        builder.Services.AddSingleton<IHostLifetime, CallersLifetime>();
        builder.Services.AddMvcCore();
        builder.Services.AddReviewPipeline(configuration);
        options.ConfigureServices?.Invoke(builder.Services);
        builder.Services.TryAddSingleton(_ => PipelineStorage.FromConfiguration(configuration));
        builder.Services.AddSingleton<FunctionInvoker>();
        triggers.AddListeners(builder.Services);
        if (options.StartTrainer) builder.Services.AddSingleton<IHostedService>(provider => CreateTrainerStarter(options, configuration, provider));

        WebApplication application = builder.Build();
        application.Urls.Add(options.Url);
        return application;
    }

    private static TrainerStarter CreateTrainerStarter(FunctionsHostOptions options, IConfiguration configuration, IServiceProvider services)
    {
        TextWriter output = options.Output ?? Console.Out;
        return new TrainerStarter(
            services.GetRequiredService<PipelineStorage>().RawQueue(StorageNames.TrainingRequests),
            options.TrainerCommand ?? ["dotnet", Path.Combine(AppContext.BaseDirectory, "ServerlessBert.Trainer.dll"), "--once"],
            HostSettings.AsEnvironment(configuration),
            line => output.WriteLine($"trainer | {line}"),
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
            throw new HostStartException($"The storage account does not let its containers and queues be created ({StorageErrors.Sentence(exception).TrimEnd('.')}); check AzureWebJobsStorage and your roles.", exception);
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
            throw new HostStartException($"HTTP functions cannot be served at {options.Url} ({exception.Message.TrimEnd('.')}); end what listens there, or choose another address.", exception);
        }
    }

    private async Task SayWhatIsServedAsync(FunctionTriggers triggers, FunctionsHostOptions options)
    {
        PipelineStorage storage = application.Services.GetRequiredService<PipelineStorage>();
        string account = storage.AccountName + (storage.Prefix.Length == 0 ? "" : $", names that begin with {storage.Prefix}");
        string[] lines =
        [
            azurite is null ? $"storage   {account}" : $"storage   {account}: Azurite, started here, its data in {azurite.Folder}",
            .. triggers.Describe(Address),
            options.StartTrainer ? $"trainer   {StorageNames.TrainingRequests} → a process here" : $"trainer   not started here; {StorageNames.TrainingRequests} waits",
        ];
        await output.WriteLineAsync(string.Join(Environment.NewLine, lines));
    }
}

/// <summary>The host ends when its caller says so: signals are <see cref="DrainSignals"/>' business.</summary>
internal sealed class CallersLifetime : IHostLifetime
{
    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}

/// <summary>Ctrl-C and SIGTERM: the first asks for a clean stop, the second ends the program at once.</summary>
internal sealed class DrainSignals : IDisposable
{
    private readonly Action stop;
    private readonly PosixSignalRegistration[] registrations;
    private int signals;

    /// <summary>Listens.</summary>
    public DrainSignals(Action stop)
    {
        this.stop = stop;
        registrations = [PosixSignalRegistration.Create(PosixSignal.SIGINT, Handle), PosixSignalRegistration.Create(PosixSignal.SIGTERM, Handle)];
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in registrations) registration.Dispose();
    }

    private void Handle(PosixSignalContext context)
    {
        context.Cancel = true;
        if (Interlocked.Increment(ref signals) == 1) stop();
        else Environment.Exit(context.Signal == PosixSignal.SIGINT ? 130 : 143);
    }
}
