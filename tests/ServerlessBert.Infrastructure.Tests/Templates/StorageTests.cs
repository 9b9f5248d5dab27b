using System.Text.Json;
using ServerlessBert.Pipeline.Storage;

namespace ServerlessBert.Infrastructure.Tests;

public sealed class StorageTests
{
    private static readonly Template Module = Bicep.Template.Module("storage");
    private static readonly JsonElement Account = Module.Symbol("account");

    [Fact]
    public void Its_containers_are_those_that_the_code_has() =>
        Assert.Equal(StorageNames.Containers.Order(), Module.Variable("containers").Strings().Order());

    [Fact]
    public void Its_queues_are_those_that_the_code_has_poison_queues_included() =>
        Assert.Equal(StorageNames.Queues.Order(), Module.Variable("queues").Strings().Order());

    [Fact]
    public void Beside_them_are_only_the_hosts_own_containers_and_the_dead_letters() =>
        Assert.Equal(["azure-webjobs-hosts", "azure-webjobs-secrets", "event-dead-letters"],
            Module.Variable("serviceContainers").Strings().Order());

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
        var properties = Account.GetProperty("properties");
        Assert.False(properties.GetProperty("allowSharedKeyAccess").GetBoolean());
        Assert.False(properties.GetProperty("allowBlobPublicAccess").GetBoolean());
        Assert.True(properties.GetProperty("supportsHttpsTrafficOnly").GetBoolean());
        Assert.Equal("TLS1_2", properties.GetProperty("minimumTlsVersion").GetString());
        Assert.Equal("None",
            Module.Resource("Microsoft.Storage/storageAccounts/blobServices/containers").At("properties.publicAccess").GetString());
    }

    [Fact]
    public void On_a_private_network_only_trusted_services_and_listed_addresses_come_in()
    {
        var rules = Account.At("properties.networkAcls");
        Assert.Equal("[if(parameters('privateNetwork'), 'Deny', 'Allow')]", rules.GetProperty("defaultAction").GetString());
        Assert.Equal("AzureServices", rules.GetProperty("bypass").GetString());
    }

    [Fact]
    public void A_run_outlives_its_review_file()
    {
        // A run that is gone makes the sweep classify its file again.
        Assert.Equal("[max(parameters('retentionDays'), 1)]", Days("deleteReviews"));
        Assert.Equal("[add(max(parameters('retentionDays'), 1), 7)]", Days("deleteRuns"));

        static string? Days(string rule) =>
            Module.Variable(rule).At("definition.actions.baseBlob.delete.daysAfterModificationGreaterThan").GetString();
    }

    [Fact]
    public void Nothing_is_deleted_by_default_nor_after_going_back_to_it()
    {
        Assert.Equal(0, Bicep.Template.Parameter("retentionDays").GetProperty("defaultValue").GetInt32());
        // Left out, a policy of an earlier deployment would stay and go on deleting.
        Assert.Equal("[not(parameters('exists'))]", Module.Symbol("lifecycle").GetProperty("condition").GetString());
        Assert.Equal(["[variables('deleteReviews')]", "[variables('deleteRuns')]"],
            Module.Symbol("lifecycle").At("properties.policy.rules").Strings());
        foreach (string rule in (string[])["deleteRuns", "deleteReviews"])
            Assert.Equal("[greater(parameters('retentionDays'), 0)]", Module.Variable(rule).GetProperty("enabled").GetString());
    }

    [Theory]
    [InlineData("deleteRuns", StorageNames.Runs)]
    [InlineData("deleteReviews", StorageNames.Reviews)]
    public void A_lifecycle_rule_ends_at_its_container(string rule, string container) =>
        Assert.Equal([container + "/"], Module.Variable(rule).At("definition.filters.prefixMatch").Strings());

    [Fact]
    public void It_spans_zones_where_it_is_asked_to() =>
        Assert.Equal("[if(parameters('zoneRedundant'), 'Standard_ZRS', 'Standard_LRS')]", Account.At("sku.name").GetString());

    [Fact]
    public void An_account_that_exists_keeps_its_settings_and_gets_containers_and_queues()
    {
        foreach (string symbol in (string[])["account", "blobs", "queueService", "lifecycle"])
            Assert.Equal("[not(parameters('exists'))]", Module.Symbol(symbol).GetProperty("condition").GetString());
        foreach (string symbol in (string[])["blobContainers", "storageQueues"])
            Assert.False(Module.Symbol(symbol).TryGetProperty("condition", out _));
    }
}
