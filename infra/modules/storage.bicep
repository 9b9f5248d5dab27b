// The one storage account: everything that the pipeline keeps, and what the Functions host keeps for itself.

@description('Name of the storage account, unique in Azure.')
param name string

@description('Whether the account is there already; then only containers and queues are added to it.')
param exists bool

@description('Region.')
param location string

@description('Tags of every resource.')
param tags object

@description('Days after which review files are deleted, and their runs a week later; 0 keeps both.')
param retentionDays int

@description('Whether the account spans the zones of the region.')
param zoneRedundant bool

@description('Whether only the private endpoints, trusted Azure services and the listed addresses may come in.')
param privateNetwork bool

@description('IPv4 addresses or ranges that may reach the account beside the private network.')
param allowedIpAddresses string[]

// The names that the code has in StorageNames; a test holds the two together.
var containers = [
  'reviews'
  'predictions'
  'runs'
  'models'
  'training-data'
  'trainings'
]
var queues = [
  'review-files'
  'review-files-poison'
  'review-batches'
  'review-batches-poison'
  'training-requests'
  'training-requests-poison'
]
// The Functions host's locks, timers and function keys, and the events that no queue took. They are made here so that
// the host's role can end at its own containers.
var serviceContainers = [
  'azure-webjobs-hosts'
  'azure-webjobs-secrets'
  'event-dead-letters'
]

// Both rules stay where 0 keeps everything, and are off: a policy that is left out of a deployment would go on deleting.
// The sweep takes a file whose run is gone for one that was never classified, so a run must outlive its file.
var deleteReviews = {
  name: 'reviews-end'
  type: 'Lifecycle'
  enabled: retentionDays > 0
  definition: {
    filters: { blobTypes: ['blockBlob'], prefixMatch: ['reviews/'] }
    actions: { baseBlob: { delete: { daysAfterModificationGreaterThan: max(retentionDays, 1) } } }
  }
}
var deleteRuns = {
  name: 'runs-end-after-their-reviews'
  type: 'Lifecycle'
  enabled: retentionDays > 0
  definition: {
    filters: { blobTypes: ['blockBlob'], prefixMatch: ['runs/'] }
    actions: { baseBlob: { delete: { daysAfterModificationGreaterThan: max(retentionDays, 1) + 7 } } }
  }
}

resource account 'Microsoft.Storage/storageAccounts@2025-06-01' = if (!exists) {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: zoneRedundant ? 'Standard_ZRS' : 'Standard_LRS' }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    // Enabled even on a private network: Event Grid cannot deliver through a private endpoint and comes in as a
    // trusted service, by the network rules below.
    publicNetworkAccess: 'Enabled'
    networkAcls: {
      bypass: 'AzureServices'
      defaultAction: privateNetwork ? 'Deny' : 'Allow'
      ipRules: [for address in allowedIpAddresses: { value: address, action: 'Allow' }]
    }
  }
}

resource present 'Microsoft.Storage/storageAccounts@2025-06-01' existing = if (exists) {
  name: name
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2025-06-01' = if (!exists) {
  parent: account
  name: 'default'
  properties: {
    deleteRetentionPolicy: { enabled: true, days: 7 }
    containerDeleteRetentionPolicy: { enabled: true, days: 7 }
  }
}

resource blobContainers 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' = [
  for container in concat(containers, serviceContainers): {
    parent: blobs
    name: container
    properties: { publicAccess: 'None' }
  }
]

resource queueService 'Microsoft.Storage/storageAccounts/queueServices@2025-06-01' = if (!exists) {
  parent: account
  name: 'default'
}

resource storageQueues 'Microsoft.Storage/storageAccounts/queueServices/queues@2025-06-01' = [
  for queue in queues: {
    parent: queueService
    name: queue
  }
]

resource lifecycle 'Microsoft.Storage/storageAccounts/managementPolicies@2025-06-01' = if (!exists) {
  parent: account
  name: 'default'
  properties: {
    policy: { rules: [deleteReviews, deleteRuns] }
  }
}

@description('The account\'s name.')
output name string = name

@description('The account\'s resource id.')
output id string = account.id

@description('The account\'s region.')
output location string = exists ? present!.location : location
