using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using ServerlessBert.Pipeline.Models;
using ServerlessBert.Pipeline.Operations;
using ServerlessBert.Pipeline.Settings;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Reviews;

namespace ServerlessBert.Pipeline.Tests.Settings;

public sealed class SettingsSectionTests
{
    [Theory]
    [InlineData("Reviews:BatchRows", "abc", "ServerlessBert__Reviews__BatchRows is \"abc\"; it must be a whole number.")]
    [InlineData("Reviews:BatchRows", "0", "ServerlessBert__Reviews__BatchRows is \"0\"; it must be from 1 to 100000.")]
    [InlineData("Reviews:MaxRows", "-1", "ServerlessBert__Reviews__MaxRows is \"-1\"; it must be 1 or more.")]
    [InlineData("Reviews:TextFields", "comment",
        "ServerlessBert__Reviews__TextFields is a list; write its first entry as ServerlessBert__Reviews__TextFields__0.")]
    [InlineData("Runs:ProcessedInput", "Burn", "ServerlessBert__Runs__ProcessedInput is \"Burn\"; it must be Keep, Move, Tag.")]
    [InlineData("Runs:ProcessedInput", "7", "ServerlessBert__Runs__ProcessedInput is \"7\"; it must be Keep, Move, Tag.")]
    [InlineData("Models:MaxLoaded", "0", "ServerlessBert__Models__MaxLoaded is \"0\"; it must be from 1 to 16.")]
    [InlineData("Models:PollInterval", "0", "ServerlessBert__Models__PollInterval is \"0\"; it must be from 00:00:00.1000000 to 01:00:00.")]
    [InlineData("Models:PollInterval", "15",
        "ServerlessBert__Models__PollInterval is \"15\"; it must be from 00:00:00.1000000 to 01:00:00.")]
    [InlineData("Models:PollInterval", "soon", "ServerlessBert__Models__PollInterval is \"soon\"; it must be a time such as 00:00:15.")]
    [InlineData("Inference:Threads", "-3", "ServerlessBert__Inference__Threads is \"-3\"; it must be from 1 to 1024.")]
    [InlineData("Inference:Dtype", "float7", "ServerlessBert__Inference__Dtype is \"float7\"; it must be Auto, Float32, BFloat16, Int8.")]
    [InlineData("Drift:Confidence", "NaN", "ServerlessBert__Drift__Confidence is \"NaN\"; it must be from 0 to 1.")]
    [InlineData("Drift:RequestTraining", "perhaps", "ServerlessBert__Drift__RequestTraining is \"perhaps\"; it must be true or false.")]
    [InlineData("Retraining:MinNewRows", "many", "ServerlessBert__Retraining__MinNewRows is \"many\"; it must be a whole number.")]
    [InlineData("Retirement:Keep", "-1", "ServerlessBert__Retirement__Keep is \"-1\"; it must be from 0 to 100000.")]
    [InlineData("Inference:Dtypo", "Float32", "ServerlessBert__Inference__Dtypo is not a setting; ServerlessBert__Inference has ")]
    [InlineData("Inferense:Dtype", "Float32", "ServerlessBert__Inferense is not a section of settings; ServerlessBert has ")]
    [InlineData("Inference", "Float32", "ServerlessBert__Inference is a section of settings and not a setting; ")]
    public void A_setting_that_cannot_work_stops_the_program_at_start_with_one_sentence(string key, string value, string sentence)
    {
        using ServiceProvider services = Build(key, value);

        string message = Assert.Throws<SettingsException>(services.ValidateSettings).Message;

        Assert.StartsWith(sentence, message);
        Assert.EndsWith(".", message);
        Assert.DoesNotContain('\n', message);
    }

    [Theory]
    [InlineData("Reviews:BatchRows", "1")]
    [InlineData("Models:PollInterval", "00:00:00.1")]
    [InlineData("Inference:Dtype", "bfloat16")]
    [InlineData("Runs:KeepEnded", "00:00:00")]
    [InlineData("Retirement:Keep", "0")]
    public void A_setting_at_the_end_of_its_range_starts(string key, string value)
    {
        using ServiceProvider services = Build(key, value);

        services.ValidateSettings();
    }

    [Fact]
    public void Every_default_is_within_its_range()
    {
        foreach (Type options in typeof(SettingsSection).Assembly.GetExportedTypes().Append(typeof(ReviewOptions))
            .Append(typeof(Modeling.Inference.InferenceOptions)).Where(type => type.Name.EndsWith("Options", StringComparison.Ordinal)))
        {
            object defaults = Activator.CreateInstance(options)!;
            var faults = new List<System.ComponentModel.DataAnnotations.ValidationResult>();
            var context = new System.ComponentModel.DataAnnotations.ValidationContext(defaults);
            Assert.True(System.ComponentModel.DataAnnotations.Validator.TryValidateObject(
                defaults, context, faults, validateAllProperties: true), $"{options.Name}: {string.Join(' ', faults)}");
        }
    }

    [Fact]
    public void A_list_that_is_configured_takes_the_place_of_its_default()
    {
        using ServiceProvider services = Build("Reviews:TextFields:0", "comment");

        Assert.Equal(["comment"], services.GetRequiredService<ReviewOptions>().TextFields);
    }

    [Fact]
    public void Options_that_were_registered_before_stay()
    {
        using ServiceProvider services = new ServiceCollection().AddSingleton(new ModelCacheOptions { MaxLoaded = 3 })
            .AddReviewPipeline(Configuration("Models:MaxLoaded", "4")).BuildServiceProvider();

        Assert.Equal(3, services.GetRequiredService<ModelCacheOptions>().MaxLoaded);
    }

    [Fact]
    public void A_prefix_that_no_container_can_have_is_refused() =>
        Assert.StartsWith(
            "ServerlessBert__Storage__Prefix is \"My_\"; it must be lower-case letters",
            Assert.Throws<SettingsException>(() => PipelineStorage.FromConfiguration(Configuration("Storage:Prefix", "My_"))).Message);

    private static ServiceProvider Build(string key, string value) =>
        new ServiceCollection().AddReviewPipeline(Configuration(key, value)).BuildServiceProvider();

    private static IConfiguration Configuration(string key, string value) => new ConfigurationBuilder().AddInMemoryCollection(
        [new(PipelineStorage.ConnectionSection, PipelineStorage.DevelopmentStorage), new($"ServerlessBert:{key}", value)]).Build();
}
