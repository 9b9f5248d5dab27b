// The Container Apps environment: the functions on the Consumption profile, the training job on a GPU profile that
// costs nothing while no execution runs.

@description('Name of the environment.')
param name string

@description('Region.')
param location string

@description('Tags of every resource.')
param tags object

@description('Type of the GPU profile.')
param gpuProfileType string

@description('Resource id of the Log Analytics workspace.')
param workspaceId string

@description('Resource id of the subnet that the environment lives in; empty for a public environment.')
param subnetId string

resource environment 'Microsoft.App/managedEnvironments@2026-01-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    // Not 'log-analytics', which wants the workspace's key: the diagnostic setting below needs none.
    appLogsConfiguration: { destination: 'azure-monitor' }
    workloadProfiles: [
      { name: 'Consumption', workloadProfileType: 'Consumption' }
      { name: 'gpu', workloadProfileType: gpuProfileType }
    ]
    vnetConfiguration: empty(subnetId) ? null : { infrastructureSubnetId: subnetId, internal: true }
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
