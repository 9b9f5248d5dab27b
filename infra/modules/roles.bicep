// Every role that is given, in one list: the table in docs/deploy.md says the same with the reasons, and a test holds
// the two together. The narrowest role, on the narrowest resource, that what the code calls works with.

@description('On which kinds of resource roles are given here: those in this module\'s resource group.')
param kinds string[]

@description('Object ids by the names that the grants use; an empty one gets nothing.')
param principals { functions: string, trainer: string, events: string, operator: string }

@description('What the operator is.')
@allowed(['User', 'Group', 'ServicePrincipal'])
param operatorPrincipalType string

@description('Name of the storage account.')
param storageAccountName string

@description('Name of the container registry.')
param registryName string

@description('Name of the Application Insights component.')
param applicationInsightsName string

var roleIds = {
  'Storage Blob Data Owner': 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
  'Storage Blob Data Contributor': 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
  'Storage Blob Data Reader': '2a2b9908-6ea1-4ae2-8e65-a410df84e7d1'
  'Storage Queue Data Contributor': '974c5e8b-45b9-4653-ba55-5f855dd0fb88'
  'Storage Queue Data Reader': '19e7f393-937e-4f77-808e-94535e297925'
  'Storage Queue Data Message Sender': 'c6a89b2d-59bc-44d0-9896-0f6e12d7b80a'
  AcrPull: '7f951dda-4ed3-4680-a7ca-43fe172d538d'
  'Monitoring Metrics Publisher': '3913510d-42f4-4e42-8a64-420c390055eb'
}

var grants = [
  { identity: 'functions', on: 'container', name: 'reviews', role: 'Storage Blob Data Reader' }
  { identity: 'functions', on: 'container', name: 'predictions', role: 'Storage Blob Data Contributor' }
  { identity: 'functions', on: 'container', name: 'runs', role: 'Storage Blob Data Contributor' }
  { identity: 'functions', on: 'container', name: 'models', role: 'Storage Blob Data Reader' }
  { identity: 'functions', on: 'container', name: 'training-data', role: 'Storage Blob Data Reader' }
  { identity: 'functions', on: 'container', name: 'trainings', role: 'Storage Blob Data Reader' }
  { identity: 'functions', on: 'container', name: 'azure-webjobs-hosts', role: 'Storage Blob Data Owner' }
  { identity: 'functions', on: 'container', name: 'azure-webjobs-secrets', role: 'Storage Blob Data Owner' }
  { identity: 'functions', on: 'queue', name: 'review-files', role: 'Storage Queue Data Contributor' }
  { identity: 'functions', on: 'queue', name: 'review-files-poison', role: 'Storage Queue Data Contributor' }
  { identity: 'functions', on: 'queue', name: 'review-batches', role: 'Storage Queue Data Contributor' }
  { identity: 'functions', on: 'queue', name: 'review-batches-poison', role: 'Storage Queue Data Contributor' }
  { identity: 'functions', on: 'queue', name: 'training-requests', role: 'Storage Queue Data Reader' }
  { identity: 'functions', on: 'queue', name: 'training-requests', role: 'Storage Queue Data Message Sender' }
  { identity: 'functions', on: 'queue', name: 'training-requests-poison', role: 'Storage Queue Data Reader' }
  { identity: 'functions', on: 'registry', name: '', role: 'AcrPull' }
  { identity: 'functions', on: 'application insights', name: '', role: 'Monitoring Metrics Publisher' }

  { identity: 'trainer', on: 'container', name: 'training-data', role: 'Storage Blob Data Reader' }
  { identity: 'trainer', on: 'container', name: 'trainings', role: 'Storage Blob Data Contributor' }
  { identity: 'trainer', on: 'container', name: 'models', role: 'Storage Blob Data Contributor' }
  { identity: 'trainer', on: 'queue', name: 'training-requests', role: 'Storage Queue Data Contributor' }
  { identity: 'trainer', on: 'queue', name: 'training-requests-poison', role: 'Storage Queue Data Message Sender' }
  { identity: 'trainer', on: 'registry', name: '', role: 'AcrPull' }
  { identity: 'trainer', on: 'application insights', name: '', role: 'Monitoring Metrics Publisher' }

  { identity: 'events', on: 'queue', name: 'review-files', role: 'Storage Queue Data Message Sender' }
  { identity: 'events', on: 'container', name: 'event-dead-letters', role: 'Storage Blob Data Contributor' }

  { identity: 'operator', on: 'account', name: '', role: 'Storage Blob Data Contributor' }
  { identity: 'operator', on: 'account', name: '', role: 'Storage Queue Data Contributor' }
]

var given = filter(grants, grant => contains(kinds, grant.on) && !empty(principals[grant.identity]))
var onContainers = filter(given, grant => grant.on == 'container')
var onQueues = filter(given, grant => grant.on == 'queue')
var onAccount = filter(given, grant => grant.on == 'account')
var onRegistry = filter(given, grant => grant.on == 'registry')
var onApplicationInsights = filter(given, grant => grant.on == 'application insights')

resource account 'Microsoft.Storage/storageAccounts@2025-06-01' existing = if (contains(kinds, 'account')) {
  name: storageAccountName

  resource blobs 'blobServices' existing = {
    name: 'default'
  }

  resource queueService 'queueServices' existing = {
    name: 'default'
  }
}

resource containers 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' existing = [
  for grant in onContainers: {
    parent: account::blobs
    name: grant.name
  }
]

resource queues 'Microsoft.Storage/storageAccounts/queueServices/queues@2025-06-01' existing = [
  for grant in onQueues: {
    parent: account::queueService
    name: grant.name
  }
]

resource registry 'Microsoft.ContainerRegistry/registries@2025-11-01' existing = if (contains(kinds, 'registry')) {
  name: registryName
}

resource applicationInsights 'Microsoft.Insights/components@2020-02-02' existing = if (contains(kinds, 'application insights')) {
  name: applicationInsightsName
}

resource containerRoles 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (grant, i) in onContainers: {
    name: guid(containers[i].id, principals[grant.identity], grant.role)
    scope: containers[i]
    properties: {
      principalId: principals[grant.identity]
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds[grant.role])
    }
  }
]

resource queueRoles 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (grant, i) in onQueues: {
    name: guid(queues[i].id, principals[grant.identity], grant.role)
    scope: queues[i]
    properties: {
      principalId: principals[grant.identity]
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds[grant.role])
    }
  }
]

resource accountRoles 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for grant in onAccount: {
    name: guid(account.id, principals[grant.identity], grant.role)
    scope: account
    properties: {
      principalId: principals[grant.identity]
      principalType: operatorPrincipalType
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds[grant.role])
    }
  }
]

resource registryRoles 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for grant in onRegistry: {
    name: guid(registry.id, principals[grant.identity], grant.role)
    scope: registry
    properties: {
      principalId: principals[grant.identity]
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds[grant.role])
    }
  }
]

resource monitoringRoles 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for grant in onApplicationInsights: {
    name: guid(applicationInsights.id, principals[grant.identity], grant.role)
    scope: applicationInsights
    properties: {
      principalId: principals[grant.identity]
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds[grant.role])
    }
  }
]
