using System.Reflection;
using Azure.Storage.Queues.Models;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Extensions.Abstractions;
using Microsoft.Extensions.Configuration;
using ServerlessBert.Functions.Http;
using ServerlessBert.Functions.Reviews;
using ServerlessBert.Functions.Training;
using ServerlessBert.Pipeline.Storage;

namespace ServerlessBert.Functions.Tests;

public sealed class FunctionAttributesTests
{
    private static readonly IConfiguration Sample = new ConfigurationBuilder()
        .AddJsonFile(Path.Combine(AppContext.BaseDirectory, "local.settings.sample.json")).Build().GetSection("Values");

    private static readonly IConfiguration HostJson = new ConfigurationBuilder()
        .AddJsonFile(Path.Combine(AppContext.BaseDirectory, "host.json")).Build();

    [Theory]
    [InlineData(typeof(SplitReviews), StorageNames.ReviewFiles)]
    [InlineData(typeof(ClassifyBatch), StorageNames.ReviewBatches)]
    [InlineData(typeof(DeadLetterBatch), StorageNames.ReviewBatches + StorageNames.PoisonSuffix)]
    public void A_queue_function_listens_to_a_queue_of_the_pipeline(Type type, string queue)
    {
        (ParameterInfo parameter, QueueTriggerAttribute trigger) = TriggerOf<QueueTriggerAttribute>(type);
        Assert.Equal((queue, "AzureWebJobsStorage", typeof(QueueMessage)),
            (trigger.QueueName, trigger.Connection, parameter.ParameterType));
        Assert.Contains(queue, StorageNames.Queues);
    }

    [Theory]
    [InlineData(typeof(SweepReviews), "SweepSchedule")]
    [InlineData(typeof(ScheduleRetraining), "RetrainingSchedule")]
    public void A_timers_schedule_is_a_setting_that_the_sample_has(Type type, string setting)
    {
        (_, TimerTriggerAttribute trigger) = TriggerOf<TimerTriggerAttribute>(type);
        Assert.Equal($"%{setting}%", trigger.Schedule);
        Assert.NotNull(Cronos.CronExpression.Parse(Sample[setting]!, Cronos.CronFormat.IncludeSeconds));
    }

    [Theory]
    [InlineData(typeof(Predict), "predict", "post")]
    [InlineData(typeof(GetStatus), "status", "get")]
    public void An_HTTP_function_has_its_route_and_asks_for_a_key(Type type, string route, string method)
    {
        (ParameterInfo parameter, HttpTriggerAttribute trigger) = TriggerOf<HttpTriggerAttribute>(type);
        Assert.Equal((route, method, AuthorizationLevel.Function), (trigger.Route, Assert.Single(trigger.Methods!), trigger.AuthLevel));
        Assert.Equal(typeof(HttpRequest), parameter.ParameterType);
    }

    [Fact]
    public void Every_function_is_named_as_its_class_and_there_are_no_others()
    {
        string[] names = [.. typeof(Predict).Assembly.GetTypes().SelectMany(type => type.GetMethods())
            .Select(method =>
                method.GetCustomAttribute<FunctionAttribute>()).OfType<FunctionAttribute>().Select(function => function.Name).Order()];
        Assert.Equal(["ClassifyBatch", "DeadLetterBatch", "GetStatus", "Predict", "ScheduleRetraining", "SplitReviews", "SweepReviews"],
            names);
        Assert.All(names, name => Assert.Single(typeof(Predict).Assembly.GetTypes(), type => type.Name == name));
    }

    [Theory]
    [InlineData("version", "2.0")]
    [InlineData("extensions:queues:batchSize", "1")]
    [InlineData("extensions:queues:newBatchThreshold", "1")]
    [InlineData("extensions:queues:visibilityTimeout", "00:00:10")]
    [InlineData("extensions:queues:maxDequeueCount", "5")]
    [InlineData("extensions:queues:maxPollingInterval", "00:00:02")]
    [InlineData("extensions:queues:messageEncoding", "base64")]
    public void host_json_says_how_queues_are_taken(string key, string value) => Assert.Equal(value, HostJson[key]);

    [Fact]
    public void The_sample_runs_on_development_storage() =>
        Assert.Equal(("dotnet-isolated", PipelineStorage.DevelopmentStorage),
            (Sample["FUNCTIONS_WORKER_RUNTIME"], Sample["AzureWebJobsStorage"]));

    private static (ParameterInfo Parameter, T Trigger) TriggerOf<T>(Type type)
        where T : TriggerBindingAttribute
    {
        MethodInfo method = type.GetMethods().Single(method => method.GetCustomAttribute<FunctionAttribute>() is not null);
        ParameterInfo parameter = method.GetParameters()
            .Single(parameter => parameter.GetCustomAttribute<TriggerBindingAttribute>() is not null);
        return (parameter, Assert.IsType<T>(parameter.GetCustomAttribute<TriggerBindingAttribute>()));
    }
}
