using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Azure.Storage.Queues;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Testing;

namespace ServerlessBert.LocalHost.Tests;

[Collection(AzuriteCollection.Name)]
public sealed class FunctionsHostTests(AzuriteFixture azurite)
{
    private readonly Seen seen = new();
    private readonly StringWriter output = new();
    private readonly string prefix = AzuriteFixture.NewPrefix();

    [Fact]
    public async Task Queue_functions_get_their_messages_each_in_a_scope_of_its_own()
    {
        await using FunctionsHost host = await StartAsync(typeof(QueueFunctions));
        await SendAsync(StorageNames.ReviewFiles, """{"name":"one"}""");
        await SendAsync(StorageNames.ReviewFiles, """{"name":"two"}""");
        await Eventually.IsTrueAsync(() => seen.Calls.Count == 2);
        Assert.Equal(["order one", "order two"], seen.Calls.Order());
        Assert.Equal(2, seen.Scopes.Distinct().Count());
        await host.StopAsync();
    }

    [Fact]
    public async Task A_body_that_is_not_the_parameters_JSON_reaches_the_poison_queues_function()
    {
        await using FunctionsHost host = await StartAsync(typeof(QueueFunctions));
        string body = $"not json {prefix}";
        await SendAsync(StorageNames.ReviewFiles, body);
        await Eventually.IsTrueAsync(() => QueueFunctions.PoisonBodies.Contains(body));
        Assert.Empty(seen.Calls);
    }

    [Fact]
    public async Task A_timer_runs_by_the_setting_that_it_names()
    {
        await using FunctionsHost host = await StartAsync(typeof(TimerFunctions));
        await Eventually.IsTrueAsync(() => seen.Calls.Count >= 2);
        Assert.Contains("tick True", seen.Calls);
        Assert.Contains("timer     * * * * * * → Tick", output.ToString());
    }

    [Fact]
    public async Task HTTP_functions_answer_at_their_routes_with_every_kind_of_result()
    {
        await using FunctionsHost host = await StartAsync(typeof(HttpFunctions));
        using var http = new HttpClient { BaseAddress = host.Address };

        using HttpResponseMessage echo = await http.PostAsync("/api/echo", new StringContent("good"));
        Assert.Equal((HttpStatusCode.Accepted, "good"), (echo.StatusCode, await echo.Content.ReadAsStringAsync()));
        using HttpResponseMessage action = await http.GetAsync("/api/Action");
        Assert.Equal((HttpStatusCode.NonAuthoritativeInformation, "/api/Action"),
            (action.StatusCode, await action.Content.ReadAsStringAsync()));
        Assert.Equal(new Order("x"), await http.GetFromJsonAsync<Order>("/api/Data?name=x"));
        Assert.Equal(HttpStatusCode.MethodNotAllowed, (await http.GetAsync("/api/echo")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await http.GetAsync("/api/nothing")).StatusCode);
        Assert.True(HttpFunctions.Disposed >= 3);
        Assert.Contains($"http      POST {host.Address}api/echo → Echo", output.ToString());
    }

    [Fact]
    public async Task A_failing_HTTP_function_answers_500_without_its_details()
    {
        await using FunctionsHost host = await StartAsync(typeof(HttpFunctions));
        using var http = new HttpClient { BaseAddress = host.Address };
        using HttpResponseMessage response = await http.GetAsync("/api/Broken");
        string body = await response.Content.ReadAsStringAsync();
        Assert.Equal(HttpStatusCode.InternalServerError, response.StatusCode);
        Assert.Equal("internal_error", JsonDocument.Parse(body).RootElement.GetProperty("error").GetProperty("code").GetString());
        Assert.DoesNotContain("secret", body);
    }

    [Fact]
    public async Task A_disabled_function_is_not_served()
    {
        await using FunctionsHost host = await StartAsync([typeof(HttpFunctions)], ("AzureWebJobs.Echo.Disabled", "true"));
        using var http = new HttpClient { BaseAddress = host.Address };
        Assert.Equal(HttpStatusCode.NotFound, (await http.PostAsync("/api/echo", null)).StatusCode);
        Assert.DoesNotContain("Echo", output.ToString());
    }

    [Fact]
    public async Task A_waiting_training_request_starts_the_trainer_with_the_hosts_settings()
    {
        var options = Options(
            [], []) with
        { StartTrainer = true, TrainerCommand = ["sh", "-c", "echo trained for $ServerlessBert__Storage__Prefix"] };
        await using FunctionsHost host = await FunctionsHost.StartAsync(options);
        await Task.Delay(500);
        Assert.DoesNotContain("trainer |", output.ToString());
        await SendAsync(StorageNames.TrainingRequests, "{}");
        await Eventually.IsTrueAsync(() => output.ToString().Contains($"trainer | trained for {prefix}", StringComparison.Ordinal));
        await host.StopAsync();
    }

    [Fact]
    public async Task A_taken_port_is_said_in_a_sentence()
    {
        await using FunctionsHost host = await StartAsync(typeof(HttpFunctions));
        var options = Options([typeof(HttpFunctions)], []) with { Url = host.Address.ToString() };
        var exception = await Assert.ThrowsAsync<HostStartException>(() => FunctionsHost.StartAsync(options));
        Assert.Contains($"HTTP functions cannot be served at {host.Address}", exception.Message);
    }

    [Fact]
    public async Task A_function_with_two_triggers_is_refused()
    {
        var exception = await Assert.ThrowsAsync<HostStartException>(() => StartAsync(typeof(TwoTriggers)));
        Assert.Equal("The function Both has 2 trigger attributes; it needs exactly one.", exception.Message);
    }

    [Fact]
    public async Task Our_own_functions_are_all_served()
    {
        var options = Options([], [("SweepSchedule", "0 0 0 1 1 *"), ("RetrainingSchedule", "0 0 0 1 1 *")]) with { FunctionTypes = null };
        await using FunctionsHost host = await FunctionsHost.StartAsync(options);
        foreach (string line in new[] { "review-files → SplitReviews", "review-batches → ClassifyBatch",
            "review-batches-poison → DeadLetterBatch", "→ SweepReviews", "→ ScheduleRetraining", "api/predict → Predict",
            "api/status → GetStatus" })
            Assert.Contains(line, output.ToString());
    }

    private Task<FunctionsHost> StartAsync(Type functions) => StartAsync([functions]);

    private Task<FunctionsHost> StartAsync(Type[] functions, params (string Key, string Value)[] settings) =>
        FunctionsHost.StartAsync(Options(functions, settings));

    private FunctionsHostOptions Options(Type[] functions, (string Key, string Value)[] settings) => new()
    {
        Configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["AzureWebJobsStorage"] = azurite.ConnectionString,
            ["ServerlessBert:Storage:Prefix"] = prefix,
            ["TickSchedule"] = "* * * * * *",
        }).AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create(setting.Key, (string?)setting.Value))).Build(),
        Url = "http://127.0.0.1:0",
        StartTrainer = false,
        FunctionTypes = functions,
        Queues = new QueueTriggerOptions
        {
            BatchSize = 1,
            NewBatchThreshold = 1,
            MaxDequeueCount = 2,
            MaxPollingInterval = TimeSpan.FromMilliseconds(200)
        },
        ConfigureServices = services => services.AddSingleton(seen).AddScoped<ScopedThing>(),
        Output = TextWriter.Synchronized(output),
    };

    private Task SendAsync(string queue, string body) =>
        new QueueClient(
            azurite.ConnectionString, prefix + queue, new QueueClientOptions { MessageEncoding = QueueMessageEncoding.Base64 })
            .SendMessageAsync(body);
}
