using Microsoft.Extensions.Configuration;

namespace ServerlessBert.LocalHost.Tests;

public sealed class QueueTriggerOptionsTests
{
    [Fact]
    public void Our_host_json_takes_one_batch_at_a_time_and_the_next_one_early()
    {
        QueueTriggerOptions options = QueueTriggerOptions.FromHostJson(HostSettings.LoadHostJson());
        Assert.Equal((1, 1, 5), (options.BatchSize, options.NewBatchThreshold, options.MaxDequeueCount));
        Assert.Equal((TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(2)), (options.VisibilityTimeout, options.MaxPollingInterval));
        Assert.True(options.IsBase64);
    }

    [Fact]
    public void What_host_json_leaves_out_has_the_Functions_hosts_defaults()
    {
        QueueTriggerOptions options = QueueTriggerOptions.FromHostJson(new ConfigurationBuilder().Build());
        Assert.Equal((16, 8 * Environment.ProcessorCount, 5), (options.BatchSize, options.NewBatchThreshold, options.MaxDequeueCount));
        Assert.Equal((TimeSpan.Zero, TimeSpan.FromMinutes(1)), (options.VisibilityTimeout, options.MaxPollingInterval));
    }

    [Fact]
    public void An_environment_variable_stands_before_host_json_and_the_lease_is_renewed_thrice()
    {
        Environment.SetEnvironmentVariable("AzureFunctionsJobHost__extensions__queues__lease", "00:00:06");
        try
        {
            QueueTriggerOptions options = QueueTriggerOptions.FromHostJson(HostSettings.LoadHostJson());
            Assert.Equal((TimeSpan.FromSeconds(6), TimeSpan.FromSeconds(2), 5), (options.Lease, options.Renewal, options.MaxDequeueCount));
        }
        finally
        {
            Environment.SetEnvironmentVariable("AzureFunctionsJobHost__extensions__queues__lease", null);
        }
    }

    [Theory]
    [InlineData("lease", "00:00:00")]
    [InlineData("batchSize", "33")]
    [InlineData("batchSize", "many")]
    [InlineData("visibilityTimeout", "soon")]
    [InlineData("maxDequeueCount", "0")]
    [InlineData("messageEncoding", "rot13")]
    public void A_value_out_of_its_range_is_named(string name, string value)
    {
        IConfiguration hostJson = new ConfigurationBuilder()
            .AddInMemoryCollection([KeyValuePair.Create($"extensions:queues:{name}", (string?)value)]).Build();
        string message = Assert.Throws<HostStartException>(() => QueueTriggerOptions.FromHostJson(hostJson)).Message;
        Assert.Contains($"extensions.queues.{name} is \"{value}\"", message);
    }
}
