// The network, new or given: the environment in a subnet, and on a private network the storage account behind private
// endpoints in another.

@description('Token that makes names unique.')
param token string

@description('Region.')
param location string

@description('Tags of every resource.')
param tags object

@description('Resource id of the storage account.')
param storageAccountId string

@description('Resource id of a subnet for the environment, instead of a new network; may be empty.')
param existingAppsSubnetId string

@description('Resource id of a subnet for the private endpoints, where existingAppsSubnetId is given.')
param existingEndpointsSubnetId string

@description('Whether the storage account gets private endpoints.')
param privateEndpoints bool

var services = ['blob', 'queue']
var privateServices = privateEndpoints ? services : []
var isNew = empty(existingAppsSubnetId)

resource network 'Microsoft.Network/virtualNetworks@2024-07-01' = if (isNew) {
  name: 'vnet-${token}'
  location: location
  tags: tags
  properties: {
    addressSpace: { addressPrefixes: ['10.60.0.0/16'] }
    subnets: [
      {
        name: 'apps'
        properties: {
          addressPrefix: '10.60.0.0/23'
          delegations: [{ name: 'environments', properties: { serviceName: 'Microsoft.App/environments' } }]
        }
      }
      { name: 'endpoints', properties: { addressPrefix: '10.60.2.0/27' } }
    ]
  }
}

var networkId = isNew ? network.id : split(existingAppsSubnetId, '/subnets/')[0]
var appsSubnetId = isNew ? resourceId('Microsoft.Network/virtualNetworks/subnets', network.name, 'apps') : existingAppsSubnetId
var endpointsSubnetId = isNew ? resourceId('Microsoft.Network/virtualNetworks/subnets', network.name, 'endpoints') : existingEndpointsSubnetId

resource zones 'Microsoft.Network/privateDnsZones@2024-06-01' = [
  for service in privateServices: {
    name: 'privatelink.${service}.${environment().suffixes.storage}'
    location: 'global'
    tags: tags
  }
]

resource links 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [
  for (service, i) in privateServices: {
    parent: zones[i]
    name: 'to-${token}'
    location: 'global'
    tags: tags
    properties: { virtualNetwork: { id: networkId }, registrationEnabled: false }
  }
]

resource endpoints 'Microsoft.Network/privateEndpoints@2024-07-01' = [
  for service in privateServices: {
    name: 'pe-${service}-${token}'
    location: location
    tags: tags
    properties: {
      subnet: { id: endpointsSubnetId }
      privateLinkServiceConnections: [
        { name: service, properties: { privateLinkServiceId: storageAccountId, groupIds: [service] } }
      ]
    }
  }
]

resource zoneGroups 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2024-07-01' = [
  for (service, i) in privateServices: {
    parent: endpoints[i]
    name: 'default'
    properties: { privateDnsZoneConfigs: [{ name: service, properties: { privateDnsZoneId: zones[i].id } }] }
  }
]

@description('Resource id of the subnet for the Container Apps environment.')
output appsSubnetId string = appsSubnetId
