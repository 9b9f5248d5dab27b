// Who the functions and the trainer are. What they may do stands in roles.bicep.

@description('Token that makes names unique.')
param token string

@description('Region.')
param location string

@description('Tags of every resource.')
param tags object

resource functions 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: 'id-functions-${token}'
  location: location
  tags: tags
}

resource trainer 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: 'id-trainer-${token}'
  location: location
  tags: tags
}

@description('What an app needs to know of its identity.')
type identity = {
  @description('Resource id.')
  id: string
  @description('Client id, which picks the identity where an app has several.')
  clientId: string
  @description('Object id, which roles are given to.')
  principalId: string
}

@description('The functions\' identity.')
output functions identity = {
  id: functions.id
  clientId: functions.properties.clientId
  principalId: functions.properties.principalId
}

@description('The trainer\'s identity.')
output trainer identity = {
  id: trainer.id
  clientId: trainer.properties.clientId
  principalId: trainer.properties.principalId
}
