using System.Text.Json;
using Microsoft.Extensions.Configuration;
using ServerlessBert.Modeling.Inference;
using ServerlessBert.Pipeline.Models;
using ServerlessBert.Pipeline.Operations;
using ServerlessBert.Pipeline.Runs;
using ServerlessBert.Pipeline.Settings;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Reviews;
using ServerlessBert.Trainer;

namespace ServerlessBert.Infrastructure.Tests;

/// <summary>What infra/, compose.yaml and the manifests set is what the code reads, and the reverse.</summary>
public sealed class SettingsTests
{
    /// <summary>What the Functions host itself reads; the code does not know of it.</summary>
    private static readonly string[] HostSettings =
    [
        "FUNCTIONS_WORKER_RUNTIME", "ASPNETCORE_URLS", "AzureFunctionsWebHost__hostid", "AzureWebJobsSecretStorageType",
            "AzureWebJobsStorage__credential",
        Telemetry, "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
    ];

    /// <summary>Where the Azure Monitor exporter of OpenTelemetry sends metrics and logs; its own name for it.</summary>
    private const string Telemetry = "APPLICATIONINSIGHTS_CONNECTION_STRING";

    private static readonly Dictionary<string, Type> Sections = new()
    {
        [RunOptions.Section] = typeof(RunOptions),
        [ModelCacheOptions.Section] = typeof(ModelCacheOptions),
        [ReviewPipelineServices.ReviewSection] = typeof(ReviewOptions),
        [ReviewPipelineServices.InferenceSection] = typeof(InferenceOptions),
        [TrainerOptions.Section] = typeof(TrainerOptions),
    };

    /// <summary>Each place that configures an app: its name, whether it runs the functions, its settings.</summary>
    public static TheoryData<string, bool> Places => new()
    {
        { "infra functions", true }, { "infra trainer", false },
        { "compose functions", true }, { "compose trainer", false },
        { "kubernetes functions", true }, { "kubernetes trainer", false },
        { "azurite functions", true }, { "azurite trainer", false },
    };

    [Theory]
    [MemberData(nameof(Places))]
    public void Every_setting_is_one_that_something_reads(string place, bool isFunctions)
    {
        foreach (string name in SettingsOf(place).Keys)
        {
            bool isKnown = name is PipelineStorage.ConnectionSection or "AzureWebJobsStorage__accountName"
                or "AzureWebJobsStorage__clientId" or Telemetry
                || (isFunctions && (HostSettings.Contains(name) || Triggers.ScheduleSettings.Contains(name)))
                || IsOption(name.Replace("__", ":", StringComparison.Ordinal));
            Assert.True(isKnown, $"{place} sets {name}, which nothing reads");
        }
    }

    [Theory]
    [MemberData(nameof(Places))]
    public void Every_setting_that_the_functions_need_is_there(string place, bool isFunctions)
    {
        var settings = SettingsOf(place);
        Assert.Contains(settings.Keys, name => name is PipelineStorage.ConnectionSection or "AzureWebJobsStorage__accountName");
        if (!isFunctions) return;
        foreach (string name in Sample().Keys.Where(name => name != PipelineStorage.ConnectionSection)) Assert.Contains(
            name, settings.Keys);
    }

    [Fact]
    public void The_sample_of_local_settings_names_each_setting_of_a_trigger_and_no_more() =>
        Assert.Equal(Triggers.ScheduleSettings.Concat(["AzureWebJobsStorage", "FUNCTIONS_WORKER_RUNTIME"]).Order(), Sample().Keys.Order());

    [Theory]
    [MemberData(nameof(Places))]
    public void The_pipeline_connects_with_them(string place, bool isFunctions)
    {
        var storage = PipelineStorage.FromConfiguration(Configuration(place));
        bool isEmulated = place.StartsWith("compose", StringComparison.Ordinal) || place.StartsWith("azurite", StringComparison.Ordinal);
        Assert.Equal(isEmulated ? "devstoreaccount1" : "account", storage.AccountName);
        if (isEmulated) Assert.Equal("azurite", storage.Queue(StorageNames.ReviewFiles).Uri.Host);
        Assert.Equal(isFunctions, SettingsOf(place).ContainsKey("SweepSchedule"));
    }

    [Theory]
    [InlineData("infra trainer")]
    [InlineData("kubernetes trainer")]
    public void The_trainer_reads_its_limits_from_them(string place)
    {
        var options = SettingsSection.Read<TrainerOptions>(Configuration(place), TrainerOptions.Section);
        Assert.Equal(new TrainerOptions() with { Device = "cuda" }, options);
    }

    [Theory]
    [InlineData("infra functions")]
    [InlineData("compose functions")]
    [InlineData("kubernetes functions")]
    [InlineData("azurite functions")]
    public void A_schedule_has_six_fields(string place)
    {
        foreach (string name in Triggers.ScheduleSettings) Assert.Equal(6, Configuration(place)[name]!.Split(' ').Length);
    }

    private static bool IsOption(string key) => Sections.Any(section =>
        key.StartsWith(section.Key + ":", StringComparison.Ordinal)
            && section.Value.GetProperty(key[(section.Key.Length + 1)..]) is not null);

    private static Dictionary<string, string> SettingsOf(string place)
    {
        string[] words = place.Split(' ');
        return words[0] switch
        {
            "compose" => Yaml.Read("compose.yaml").Single().At($"services.{words[1]}.environment").EnumerateObject()
                .ToDictionary(setting => setting.Name, setting => setting.Value.GetString()!),
            "azurite" => Manifests.Azurite.Environment(words[1]),
            _ => Manifests.Azure.Environment(words[1]),
        };
    }

    /// <summary>The settings as the app reads them, what a deployment fills in filled in.</summary>
    private static IConfiguration Configuration(string place) => new ConfigurationBuilder().AddInMemoryCollection(
        SettingsOf(place)
            .ToDictionary(setting => setting.Key.Replace("__", ":", StringComparison.Ordinal), setting => (string?)Filled(setting.Value)))
            .Build();

    private static string Filled(string value) => value switch
    {
        "[parameters('storageAccountName')]" or "${STORAGE_ACCOUNT}" => "account",
        "[if(variables('hasGpu'), 'cuda', 'cpu')]" => "cuda",
        "[string(parameters('maxHours'))]" => Default("trainingMaxHours"),
        "[string(parameters('maxAttempts'))]" => Default("trainingMaxAttempts"),
        "[parameters('sweepSchedule')]" => Default("sweepSchedule"),
        "[parameters('retrainingSchedule')]" => Default("retrainingSchedule"),
        _ => value,
    };

    private static string Default(string parameter) => Bicep.Template.Parameter(parameter).GetProperty("defaultValue").ToString();

    private static Dictionary<string, string> Sample() => JsonDocument.Parse(Repository.Read("local.settings.sample.json")).RootElement
        .GetProperty("Values").EnumerateObject().ToDictionary(setting => setting.Name, setting => setting.Value.GetString()!);
}
