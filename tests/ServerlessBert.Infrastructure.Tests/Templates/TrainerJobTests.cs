using System.Text.Json;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Trainer;

namespace ServerlessBert.Infrastructure.Tests;

public sealed class TrainerJobTests
{
    private static readonly JsonElement Job = Bicep.Template.Module("trainer").Symbol("job");

    private static JsonElement Configuration => Job.At("properties.configuration");

    private static JsonElement Rule => Assert.Single(Configuration.At("eventTriggerConfig.scale.rules").EnumerateArray());

    [Fact]
    public void A_request_in_the_queue_starts_it()
    {
        Assert.Equal("Event", Configuration.GetProperty("triggerType").GetString());
        Assert.Equal("azure-queue", Rule.GetProperty("type").GetString());
        Assert.Equal(StorageNames.TrainingRequests, Rule.At("metadata.queueName").GetString());
        Assert.Equal("[parameters('storageAccountName')]", Rule.At("metadata.accountName").GetString());
    }

    [Fact]
    public void One_request_is_enough() => Assert.Equal("1", Rule.At("metadata.queueLength").GetString());

    [Fact]
    public void A_request_that_is_held_does_not_start_another() =>
        Assert.Equal("visibleonly", Rule.At("metadata.queueLengthStrategy").GetString());

    [Fact]
    public void The_scaler_asks_as_the_trainers_identity()
    {
        Assert.Equal("[parameters('identity').id]", Rule.GetProperty("identity").GetString());
        Assert.False(Rule.TryGetProperty("auth", out _));
        Assert.Equal("[reference('identity').outputs.trainer.value]",
            Bicep.Template.Json.At("resources.trainer.properties.parameters.identity.value").GetString());
        Assert.Equal("UserAssigned", Job.At("identity.type").GetString());
    }

    [Theory]
    [InlineData("eventTriggerConfig.parallelism", 1)]
    [InlineData("eventTriggerConfig.replicaCompletionCount", 1)]
    [InlineData("eventTriggerConfig.scale.minExecutions", 0)]
    [InlineData("eventTriggerConfig.scale.maxExecutions", 1)]
    [InlineData("replicaRetryLimit", 0)]
    public void One_execution_runs_at_a_time_and_the_queue_is_what_tries_again(string path, int value) =>
        Assert.Equal(value, Configuration.At(path).GetInt32());

    [Fact]
    public void It_is_ended_an_hour_after_the_trainings_own_limit()
    {
        Assert.Equal("[mul(add(parameters('maxHours'), 1), 3600)]", Configuration.GetProperty("replicaTimeout").GetString());
        Assert.Equal("[string(parameters('maxHours'))]", Job.Environment()["ServerlessBert__Trainer__MaxHours"]);
    }

    [Fact]
    public void Its_limits_are_the_codes_defaults()
    {
        var defaults = new TrainerOptions();
        Assert.Equal(defaults.MaxHours, Bicep.Template.Parameter("trainingMaxHours").GetProperty("defaultValue").GetDouble());
        Assert.Equal(defaults.MaxAttempts, Bicep.Template.Parameter("trainingMaxAttempts").GetProperty("defaultValue").GetInt32());
    }

    [Fact]
    public void Without_a_GPU_it_trains_where_the_functions_run_and_no_GPU_is_asked_for()
    {
        Assert.Equal("", Bicep.Template.Parameter("gpuProfileType").GetProperty("defaultValue").GetString());
        Assert.Equal("[if(variables('hasGpu'), 'gpu', 'Consumption')]", Job.At("properties.workloadProfileName").GetString());
        Assert.Equal("[if(variables('hasGpu'), 'cuda', 'cpu')]", Job.Environment()["ServerlessBert__Trainer__Device"]);
        Assert.Equal("[not(empty(parameters('gpuProfileType')))]", Bicep.Template.Module("trainer").Variable("hasGpu").GetString());
        Assert.Equal(
            "[concat(createArray(variables('consumption')), if(empty(parameters('gpuProfileType')), createArray(), "
                + "createArray(createObject('name', 'gpu', 'workloadProfileType', parameters('gpuProfileType')))))]",
            Bicep.Template.Module("environment").Resource("Microsoft.App/managedEnvironments").At("properties.workloadProfiles")
                .GetString());
        Assert.Equal("Consumption", Bicep.Template.Module("environment").Variable("consumption").GetProperty("name").GetString());
    }

    [Fact]
    public void Each_GPU_profile_has_its_processors_and_memory()
    {
        var resources = Bicep.Template.Module("trainer").Variable("resources");
        Assert.Equal(Bicep.Template.Parameter("gpuProfileType").GetProperty("allowedValues").Strings().Order(),
            resources.EnumerateObject().Select(profile => profile.Name).Order());
        Assert.Equal((4, "8Gi"), Of(""));
        Assert.Equal((8, "56Gi"), Of("Consumption-GPU-NC8as-T4"));
        Assert.Equal((24, "220Gi"), Of("Consumption-GPU-NC24-A100"));

        (int, string?) Of(string profile) =>
            (resources.GetProperty(profile).GetProperty("cpu").GetInt32(),
            resources.GetProperty(profile).GetProperty("memory").GetString());
    }
}
