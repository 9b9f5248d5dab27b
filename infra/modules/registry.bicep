// Where the two images are. Pulled by identity; there is no admin user.

@description('Name of the registry, unique in Azure.')
param name string

@description('Region.')
param location string

@description('Tags of every resource.')
param tags object

resource registry 'Microsoft.ContainerRegistry/registries@2025-11-01' = {
  name: name
  location: location
  tags: tags
  sku: { name: 'Basic' }
  properties: {
    adminUserEnabled: false
  }
}

@description('The registry\'s name.')
output name string = registry.name

@description('The registry\'s host, the first part of an image\'s name.')
output loginServer string = registry.properties.loginServer
