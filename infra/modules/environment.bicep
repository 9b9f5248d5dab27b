// The Container Apps environment: the functions on the Consumption profile, the training job there too or on a GPU
// profile that costs nothing while no execution runs.

@description('Name of the environment.')
param name string

@description('Region.')
param location string

@description('Tags of every resource.')
param tags object

@description('Type of the GPU profile; empty for none.')
param gpuProfileType string

@description('Resource id of the Log Analytics workspace.')
param workspaceId string

@description('Resource id of the subnet that the environment lives in; empty for a public environment.')
param subnetId string

@description('Whether only the network reaches the environment.')
param internal bool

@description('Whether the environment spans the zones of the region, for which it needs a subnet.')
param zoneRedundant bool

var consumption = { name: 'Consumption', workloadProfileType: 'Consumption' }

resource environment 'Microsoft.App/managedEnvironments@2026-01-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    // Not 'log-analytics', which wants the workspace's key: the diagnostic setting below needs none.
    appLogsConfiguration: { destination: 'azure-monitor' }
    // A profile that the region lacks would fail the environment, and the functions with it.
    workloadProfiles: concat([consumption], empty(gpuProfileType) ? [] : [{ name: 'gpu', workloadProfileType: gpuProfileType }])
    vnetConfiguration: empty(subnetId) ? null : { infrastructureSubnetId: subnetId, internal: internal }
    zoneRedundant: zoneRedundant
  }
}

resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: environment
  properties: {
    workspaceId: workspaceId
    logs: [
      { category: 'ContainerAppConsoleLogs', enabled: true }
      { category: 'ContainerAppSystemLogs', enabled: true }
    ]
  }
}

@description('The environment\'s resource id.')
output id string = environment.id

@description('The environment\'s name.')
output name string = environment.name
