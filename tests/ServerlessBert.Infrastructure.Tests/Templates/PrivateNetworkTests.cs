namespace ServerlessBert.Infrastructure.Tests;

public sealed class PrivateNetworkTests
{
    private static readonly Template Module = Bicep.Template.Module("network");

    [Fact]
    public void It_is_off_until_asked_for()
    {
        Assert.False(Bicep.Template.Parameter("privateNetwork").GetProperty("defaultValue").GetBoolean());
        Assert.Equal("[or(or(parameters('privateNetwork'), parameters('zoneRedundant')), not(empty(parameters('appsSubnetId'))))]",
            Bicep.Template.Json.At("resources.network.condition").GetString());
        Assert.Equal("[parameters('privateNetwork')]",
            Bicep.Template.Json.At("resources.network.properties.parameters.privateEndpoints.value").GetString());
    }

    [Fact]
    public void Blobs_and_queues_each_have_an_endpoint_a_zone_and_a_link()
    {
        Assert.Equal(["blob", "queue"], Module.Variable("services").Strings());
        Assert.Equal("[if(parameters('privateEndpoints'), variables('services'), createArray())]",
            Module.Variable("privateServices").GetString());
        foreach (string type in (string[])[
            "privateEndpoints", "privateEndpoints/privateDnsZoneGroups", "privateDnsZones", "privateDnsZones/virtualNetworkLinks"])
            Assert.Equal("[length(variables('privateServices'))]",
                Module.Resource($"Microsoft.Network/{type}").At("copy.count").GetString());
    }

    [Fact]
    public void The_environment_lives_in_a_subnet_that_is_delegated_to_it()
    {
        var apps = Module.Resource("Microsoft.Network/virtualNetworks").At("properties.subnets")[0];
        Assert.Equal("Microsoft.App/environments", apps.At("properties.delegations")[0].At("properties.serviceName").GetString());
        Assert.Contains("createObject('infrastructureSubnetId', parameters('subnetId'), 'internal', parameters('internal'))",
            Bicep.Template.Resource("Microsoft.App/managedEnvironments").At("properties.vnetConfiguration").GetString(),
                StringComparison.Ordinal);
        Assert.Equal("[parameters('privateNetwork')]",
            Bicep.Template.Json.At("resources.environment.properties.parameters.internal.value").GetString());
    }

    [Fact]
    public void A_network_that_exists_is_used_as_it_is()
    {
        Assert.Equal("[variables('isNew')]", Module.Resource("Microsoft.Network/virtualNetworks").GetProperty("condition").GetString());
        Assert.Equal("[empty(parameters('existingAppsSubnetId'))]", Module.Variable("isNew").GetString());
        Assert.EndsWith(", parameters('existingAppsSubnetId'))]", Module.Variable("appsSubnetId").GetString());
        Assert.EndsWith(", parameters('existingEndpointsSubnetId'))]", Module.Variable("endpointsSubnetId").GetString());
    }

    [Fact]
    public void Zones_need_the_subnet_and_get_it()
    {
        var environment = Bicep.Template.Resource("Microsoft.App/managedEnvironments");
        Assert.Equal("[parameters('zoneRedundant')]", environment.At("properties.zoneRedundant").GetString());
        Assert.Contains(
            "parameters('zoneRedundant')", Bicep.Template.Json.At("resources.network.condition").GetString(), StringComparison.Ordinal);
    }
}
