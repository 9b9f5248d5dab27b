// Where the two images are. Pulled by identity; there is no admin user.

@description('Name of the registry, unique in Azure.')
param name string

@description('Whether the registry is there already, and stays as it is.')
param exists bool

@description('Region.')
param location string

@description('Tags of every resource.')
param tags object

@description('Days after which images are deleted; 0 keeps them.')
param imageRetentionDays int

// Each deployment pushes a new tag, and Basic holds 10 GiB. The five newest tags of each image stay for going back.
var purge = 'acr purge --filter \'.*functions.*:.*\' --filter \'.*trainer.*:.*\' --ago ${imageRetentionDays}d --keep 5 --untagged'

resource registry 'Microsoft.ContainerRegistry/registries@2025-11-01' = if (!exists) {
  name: name
  location: location
  tags: tags
  sku: { name: 'Basic' }
  properties: {
    adminUserEnabled: false
    // AcrPull, the role of both apps, works in this mode only.
    roleAssignmentMode: 'LegacyRegistryPermissions'
  }
}

resource present 'Microsoft.ContainerRegistry/registries@2025-11-01' existing = if (exists) {
  name: name
}

resource weekly 'Microsoft.ContainerRegistry/registries/tasks@2025-03-01-preview' = if (!exists && imageRetentionDays > 0) {
  parent: registry
  name: 'purge-images'
  location: location
  tags: tags
  properties: {
    platform: { os: 'Linux', architecture: 'amd64' }
    agentConfiguration: { cpu: 2 }
    timeout: 3600
    step: {
      type: 'EncodedTask'
      encodedTaskContent: base64('version: v1.1.0\nsteps:\n  - cmd: ${purge}\n    disableWorkingDirectoryOverride: true\n    timeout: 3600\n')
    }
    trigger: { timerTriggers: [{ name: 'sundays', schedule: '0 3 * * Sun' }] }
  }
}

@description('The registry\'s name.')
output name string = name

@description('The registry\'s host, the first part of an image\'s name.')
output loginServer string = exists ? present!.properties.loginServer : registry!.properties.loginServer
