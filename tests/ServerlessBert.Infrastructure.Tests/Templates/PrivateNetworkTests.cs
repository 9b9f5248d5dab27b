namespace ServerlessBert.Infrastructure.Tests;

public sealed class PrivateNetworkTests
{
    private static readonly Template Module = Bicep.Template.Module("network");

    [Fact]
    public void It_is_off_until_asked_for()
    {
        Assert.False(Bicep.Template.Parameter("privateNetwork").GetProperty("defaultValue").GetBoolean());
        Assert.Equal("[parameters('privateNetwork')]", Bicep.Template.Json.At("resources.network.condition").GetString());
    }

    [Fact]
    public void Blobs_and_queues_each_have_an_endpoint_a_zone_and_a_link()
    {
        Assert.Equal(["blob", "queue"], Module.Variable("services").Strings());
        foreach (string type in (string[])["privateEndpoints", "privateEndpoints/privateDnsZoneGroups", "privateDnsZones", "privateDnsZones/virtualNetworkLinks"])
            Assert.Equal("[length(variables('services'))]", Module.Resource($"Microsoft.Network/{type}").At("copy.count").GetString());
    }

    [Fact]
    public void The_environment_lives_in_a_subnet_that_is_delegated_to_it()
    {
        var apps = Module.Resource("Microsoft.Network/virtualNetworks").At("properties.subnets")[0];
        Assert.Equal("Microsoft.App/environments", apps.At("properties.delegations")[0].At("properties.serviceName").GetString());
        Assert.Contains("createObject('infrastructureSubnetId', parameters('subnetId'), 'internal', true())",
            Bicep.Template.Resource("Microsoft.App/managedEnvironments").At("properties.vnetConfiguration").GetString(), StringComparison.Ordinal);
    }
}
