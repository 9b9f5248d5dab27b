using Microsoft.Extensions.Configuration;

namespace ServerlessBert.LocalHost.Tests;

public sealed class HostSettingsTests : IDisposable
{
    private readonly string repository = Directory.CreateTempSubdirectory("settings-").FullName;
    private readonly string current = Directory.CreateTempSubdirectory("settings-").FullName;

    public void Dispose()
    {
        Directory.Delete(repository, recursive: true);
        Directory.Delete(current, recursive: true);
        Environment.SetEnvironmentVariable("ServerlessBertTest__E", null);
    }

    [Fact]
    public void The_environment_beats_local_settings_which_beat_the_samples_defaults()
    {
        Write(repository, "local.settings.sample.json", """{"Values":{"ServerlessBertTest__A":"sample","ServerlessBertTest__B":"sample","ServerlessBertTest__E":"sample"}}""");
        Write(repository, "local.settings.json", """{"Values":{"ServerlessBertTest:B":"repository","ServerlessBertTest:C":"repository","ServerlessBertTest:E":"repository"}}""");
        Write(current, "local.settings.json", """{"Values":{"ServerlessBertTest:C":"current"}}""");
        Environment.SetEnvironmentVariable("ServerlessBertTest__E", "environment");

        IConfiguration settings = HostSettings.Load(current, repository).GetSection("ServerlessBertTest");
        Assert.Equal(["sample", "repository", "current", "environment"], new[] { "A", "B", "C", "E" }.Select(key => settings[key]));
    }

    [Fact]
    public void A_settings_file_that_is_no_JSON_is_named()
    {
        Write(current, "local.settings.json", "{ Values");
        Assert.Contains(
            Path.Combine(current, "local.settings.json"),
            Assert.Throws<HostStartException>(() => HostSettings.Load(current, repository)).Message);
    }

    [Fact]
    public void Settings_reach_a_child_as_environment_variables()
    {
        IConfiguration settings = new ConfigurationBuilder()
            .AddInMemoryCollection([KeyValuePair.Create("A:B", (string?)"1"), KeyValuePair.Create("C", (string?)null)]).Build();
        Assert.Equal([KeyValuePair.Create("A__B", "1")], HostSettings.AsEnvironment(settings));
    }

    private static void Write(string folder, string name, string json) => File.WriteAllText(Path.Combine(folder, name), json);
}
