// The storage account's events, with an identity of their own to deliver by.

@description('Name of the system topic.')
param name string

@description('Tags of every resource.')
param tags object

@description('Resource id of the storage account.')
param storageAccountId string

@description('Region of the storage account, where its topic must be.')
param storageLocation string

// System-assigned: only such an identity passes a storage account's network rules as a trusted service.
resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' = {
  name: name
  location: storageLocation
  tags: tags
  identity: { type: 'SystemAssigned' }
  properties: {
    source: storageAccountId
    topicType: 'Microsoft.Storage.StorageAccounts'
  }
}

@description('The topic\'s name.')
output name string = topic.name

@description('The topic\'s resource id.')
output id string = topic.id

@description('Object id of the topic\'s identity.')
output principalId string = topic.identity.principalId
