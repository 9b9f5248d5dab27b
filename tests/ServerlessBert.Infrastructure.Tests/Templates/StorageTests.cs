using System.Text.Json;
using ServerlessBert.Pipeline.Storage;

namespace ServerlessBert.Infrastructure.Tests;

public sealed class StorageTests
{
    private static readonly Template Module = Bicep.Template.Module("storage");

    [Fact]
    public void Its_containers_are_those_that_the_code_has() =>
        Assert.Equal(StorageNames.Containers.Order(), Module.Variable("containers").Strings().Order());

    [Fact]
    public void Its_queues_are_those_that_the_code_has_poison_queues_included() =>
        Assert.Equal(StorageNames.Queues.Order(), Module.Variable("queues").Strings().Order());

    [Fact]
    public void Beside_them_are_only_the_hosts_own_containers_and_the_dead_letters() =>
        Assert.Equal(["azure-webjobs-hosts", "azure-webjobs-secrets", "event-dead-letters"], Module.Variable("serviceContainers").Strings().Order());

    [Fact]
    public void Each_name_is_deployed()
    {
        Assert.Equal("[length(concat(variables('containers'), variables('serviceContainers')))]",
            Module.Resource("Microsoft.Storage/storageAccounts/blobServices/containers").At("copy.count").GetString());
        Assert.Equal("[length(variables('queues'))]",
            Module.Resource("Microsoft.Storage/storageAccounts/queueServices/queues").At("copy.count").GetString());
    }

    [Fact]
    public void The_account_takes_no_shared_key_and_no_old_TLS_and_shows_nothing_to_the_public()
    {
        var properties = Module.Resource("Microsoft.Storage/storageAccounts").GetProperty("properties");
        Assert.False(properties.GetProperty("allowSharedKeyAccess").GetBoolean());
        Assert.False(properties.GetProperty("allowBlobPublicAccess").GetBoolean());
        Assert.True(properties.GetProperty("supportsHttpsTrafficOnly").GetBoolean());
        Assert.Equal("TLS1_2", properties.GetProperty("minimumTlsVersion").GetString());
        Assert.Equal("None", Module.Resource("Microsoft.Storage/storageAccounts/blobServices/containers").At("properties.publicAccess").GetString());
    }

    [Fact]
    public void On_a_private_network_only_trusted_services_and_listed_addresses_come_in()
    {
        var rules = Module.Resource("Microsoft.Storage/storageAccounts").At("properties.networkAcls");
        Assert.Equal("[if(parameters('privateNetwork'), 'Deny', 'Allow')]", rules.GetProperty("defaultAction").GetString());
        Assert.Equal("AzureServices", rules.GetProperty("bypass").GetString());
    }

    [Fact]
    public void A_run_outlives_its_review_file()
    {
        // A run that is gone makes the sweep classify its file again.
        Assert.Equal("[parameters('retentionDays')]", Days("deleteReviews"));
        Assert.Equal("[add(parameters('retentionDays'), 7)]", Days("deleteRuns"));
        Assert.Equal(0, Bicep.Template.Parameter("retentionDays").GetProperty("defaultValue").GetInt32());
        Assert.Equal("[if(greater(parameters('retentionDays'), 0), createArray(variables('coolRuns'), variables('deleteReviews'), variables('deleteRuns')), createArray(variables('coolRuns')))]",
            Module.Resource("Microsoft.Storage/storageAccounts/managementPolicies").At("properties.policy.rules").GetString());
        Assert.False(Module.Variable("coolRuns").At("definition.actions.baseBlob").TryGetProperty("delete", out _));

        static string? Days(string rule) => Module.Variable(rule).At("definition.actions.baseBlob.delete.daysAfterModificationGreaterThan").GetString();
    }

    [Theory]
    [InlineData("coolRuns", StorageNames.Runs)]
    [InlineData("deleteRuns", StorageNames.Runs)]
    [InlineData("deleteReviews", StorageNames.Reviews)]
    public void A_lifecycle_rule_ends_at_its_container(string rule, string container) =>
        Assert.Equal([container + "/"], Module.Variable(rule).At("definition.filters.prefixMatch").Strings());

    [Fact]
    public void Its_lifecycle_rules_are_on()
    {
        foreach (string rule in (string[])["coolRuns", "deleteRuns", "deleteReviews"])
            Assert.Equal(JsonValueKind.True, Module.Variable(rule).GetProperty("enabled").ValueKind);
    }
}
