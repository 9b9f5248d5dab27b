// ServerlessBert in Azure, whole: a resource group, and in it storage, events, identities, monitoring, a registry, a
// Container Apps environment with the functions and the training job. No key, no secret, no script after it.
targetScope = 'subscription'

metadata name = 'ServerlessBert'
metadata description = 'Classifies review files that are dropped into a storage container, and trains its BERT model in a job.'

@description('Name of this installation; the resource group is called after it.')
@minLength(1)
@maxLength(40)
param environmentName string

@description('Region of everything that this template creates. It must offer the GPU profile, where one is asked for (see docs/deploy.md).')
@minLength(1)
param location string

@description('Image of the functions with its registry. azd fills it in; empty before the first image is pushed.')
param functionsImage string = ''

@description('Image of the trainer with its registry. azd fills it in; empty before the first image is pushed.')
param trainerImage string = ''

@description('Object id of the person or group that drops files and publishes models; empty gives nobody access.')
param operatorPrincipalId string = ''

@description('What operatorPrincipalId is.')
@allowed(['User', 'Group', 'ServicePrincipal'])
param operatorPrincipalType string = 'User'

@description('Tags of every resource, as name=value pairs with commas between them.')
param tags string = ''

@description('GPU of the training job: a T4 (16 GB) fine-tunes bert-base, an A100 (80 GB) several times faster. Empty trains on 4 vCPU, which needs no quota and no particular region.')
@allowed(['', 'Consumption-GPU-NC8as-T4', 'Consumption-GPU-NC24-A100'])
param gpuProfileType string = ''

@description('What the functions are to Azure: a functionapp has key commands and a Functions page, by a preview of the API; a containerapp is the same image and the same scale rules without any preview.')
@allowed(['functionapp', 'containerapp'])
param functionsKind string = 'functionapp'

@description('When the sweep looks for files and batches that were missed, while the app runs: six fields, seconds first, UTC.')
param sweepSchedule string = '0 */5 * * * *'

@description('When retraining is considered, while the app runs: six fields, seconds first, UTC.')
param retrainingSchedule string = '0 0 * * * *'

@description('When the app is woken for its timers though no file arrives: five fields, minutes first, UTC. A timer that was due meanwhile runs at once.')
param wakeStart string = '0 */6 * * *'

@description('When the app may sleep again after wakeStart: five fields, minutes first, UTC.')
param wakeEnd string = '2 */6 * * *'

@description('Least replicas of the functions: 0 costs nothing while idle, 1 answers /api/predict without a cold start.')
@minValue(0)
param functionsMinReplicas int = 0

@description('Most replicas of the functions, of 4 vCPU each: the limit of speed and of cost.')
@minValue(1)
@maxValue(1000)
param functionsMaxReplicas int = 10

@description('Longest training in hours; the job is ended an hour later.')
@minValue(1)
@maxValue(23)
param trainingMaxHours int = 6

@description('How often a training request is retried without any progress before it is dead-lettered.')
@minValue(1)
param trainingMaxAttempts int = 5

@description('Days after which review files are deleted, and their runs a week later; 0 keeps both.')
@minValue(0)
param retentionDays int = 0

@description('Days after which images are deleted from the registry, the five newest of each excepted; 0 keeps all.')
@minValue(0)
param imageRetentionDays int = 30

@description('Days that logs are kept.')
@minValue(30)
@maxValue(730)
param logRetentionDays int = 30

@description('Whether the apps and the storage account are on a private network.')
param privateNetwork bool = false

@description('Whether the environment and the storage account span the zones of the region.')
param zoneRedundant bool = false

@description('IPv4 addresses or ranges that may reach the storage account beside the private network, with commas between them.')
param allowedIpAddresses string = ''

@description('Client id of an Entra application that callers of the HTTP functions sign in to; empty asks for no sign-in.')
param entraClientId string = ''

@description('Resource id of a storage account to use instead of a new one. Its firewall, redundancy and lifecycle rules stay as they are.')
param storageAccountId string = ''

@description('Resource id of a container registry to use instead of a new one.')
param registryId string = ''

@description('Resource id of a Log Analytics workspace to use instead of a new one.')
param workspaceId string = ''

@description('Resource id of a subnet for the environment, delegated to Microsoft.App/environments, instead of a new network.')
param appsSubnetId string = ''

@description('Resource id of a subnet for the private endpoints, in the same network as appsSubnetId.')
param endpointsSubnetId string = ''

@description('Who gets a mail for alerts and the budget; empty shows alerts in the portal only.')
param alertEmail string = ''

@description('Minutes after which a review file without predictions raises an alert.')
@minValue(15)
@maxValue(1440)
param overdueMinutes int = 60

@description('Budget a month, in the subscription\'s currency: a mail at 80 %, nothing is stopped. 0 makes none.')
@minValue(0)
param monthlyBudget int = 100

@description('First day of the budget\'s first month, such as 2026-11-01. It cannot be changed later: azd keeps it as the output BUDGET_START. Empty is this month.')
param budgetStart string = ''

@description('This month, for the first deployment; leave it out.')
param thisMonth string = utcNow('yyyy-MM-01')

var token = uniqueString(subscription().id, environmentName, location)
var givenTags = toObject(filter(split(tags, ','), pair => contains(pair, '=')), pair => trim(split(pair, '=')[0]), pair => trim(split(pair, '=')[1]))
var allTags = union(givenTags, { 'azd-env-name': environmentName })
var firstMonth = empty(budgetStart) ? thisMonth : budgetStart

var groupName = 'rg-${environmentName}'
// A resource id is /subscriptions/ID/resourceGroups/GROUP/providers/NAMESPACE/TYPE/NAME.
var storageParts = split(empty(storageAccountId) ? '/subscriptions/${subscription().subscriptionId}/resourceGroups/${groupName}/providers/Microsoft.Storage/storageAccounts/st${token}' : storageAccountId, '/')
var registryParts = split(empty(registryId) ? '/subscriptions/${subscription().subscriptionId}/resourceGroups/${groupName}/providers/Microsoft.ContainerRegistry/registries/cr${token}' : registryId, '/')

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: groupName
  location: location
  tags: allTags
}

module identity 'modules/identity.bicep' = {
  scope: group
  params: { token: token, location: location, tags: allTags }
}

module storage 'modules/storage.bicep' = {
  scope: resourceGroup(storageParts[2], storageParts[4])
  params: {
    name: storageParts[8]
    exists: !empty(storageAccountId)
    location: location
    tags: allTags
    retentionDays: retentionDays
    zoneRedundant: zoneRedundant
    privateNetwork: privateNetwork
    allowedIpAddresses: empty(allowedIpAddresses) ? [] : map(split(allowedIpAddresses, ','), address => trim(address))
  }
  dependsOn: [group]
}

module monitoring 'modules/monitoring.bicep' = {
  scope: group
  params: { token: token, location: location, tags: allTags, logRetentionDays: logRetentionDays, existingWorkspaceId: workspaceId }
}

module registry 'modules/registry.bicep' = {
  scope: resourceGroup(registryParts[2], registryParts[4])
  params: {
    name: registryParts[8]
    exists: !empty(registryId)
    location: location
    tags: allTags
    imageRetentionDays: imageRetentionDays
  }
  dependsOn: [group]
}

module network 'modules/network.bicep' = if (privateNetwork || zoneRedundant || !empty(appsSubnetId)) {
  scope: group
  params: {
    token: token
    location: location
    tags: allTags
    existingAppsSubnetId: appsSubnetId
    existingEndpointsSubnetId: endpointsSubnetId
    privateEndpoints: privateNetwork
    storageAccountId: storage.outputs.id
  }
}

module environment 'modules/environment.bicep' = {
  scope: group
  params: {
    name: 'cae-${token}'
    location: location
    tags: allTags
    gpuProfileType: gpuProfileType
    workspaceId: monitoring.outputs.workspaceId
    subnetId: network.?outputs.appsSubnetId ?? ''
    internal: privateNetwork
    zoneRedundant: zoneRedundant
  }
}

module events 'modules/events.bicep' = {
  // Beside the account, which may be another group's.
  scope: resourceGroup(storageParts[2], storageParts[4])
  params: { name: 'egst-${token}', tags: allTags, storageAccountId: storage.outputs.id, storageLocation: storage.outputs.location }
}

var principals = {
  functions: identity.outputs.functions.principalId
  trainer: identity.outputs.trainer.principalId
  events: events.outputs.principalId
  operator: operatorPrincipalId
}

// One list of roles, given where each resource is: a module reaches one resource group.
module storageRoles 'modules/roles.bicep' = {
  scope: resourceGroup(storageParts[2], storageParts[4])
  params: {
    kinds: ['container', 'queue', 'account']
    principals: principals
    operatorPrincipalType: operatorPrincipalType
    storageAccountName: storage.outputs.name
    registryName: registry.outputs.name
    applicationInsightsName: monitoring.outputs.applicationInsightsName
  }
}

module registryRoles 'modules/roles.bicep' = {
  scope: resourceGroup(registryParts[2], registryParts[4])
  params: {
    kinds: ['registry']
    principals: principals
    operatorPrincipalType: operatorPrincipalType
    storageAccountName: storage.outputs.name
    registryName: registry.outputs.name
    applicationInsightsName: monitoring.outputs.applicationInsightsName
  }
}

module telemetryRoles 'modules/roles.bicep' = {
  scope: group
  params: {
    kinds: ['application insights']
    principals: principals
    operatorPrincipalType: operatorPrincipalType
    storageAccountName: storage.outputs.name
    registryName: registry.outputs.name
    applicationInsightsName: monitoring.outputs.applicationInsightsName
  }
}

module eventSubscription 'modules/event-subscription.bicep' = {
  scope: resourceGroup(storageParts[2], storageParts[4])
  params: { topicName: events.outputs.name, storageAccountId: storage.outputs.id }
  // The topic's roles need minutes until they work everywhere; the apps take those minutes.
  dependsOn: [storageRoles, functions, trainer]
}

module functions 'modules/functions.bicep' = {
  scope: group
  params: {
    name: 'ca-functions-${token}'
    location: location
    tags: allTags
    kind: functionsKind
    environmentId: environment.outputs.id
    image: functionsImage
    registryServer: registry.outputs.loginServer
    identity: identity.outputs.functions
    storageAccountName: storage.outputs.name
    applicationInsightsName: monitoring.outputs.applicationInsightsName
    sweepSchedule: sweepSchedule
    retrainingSchedule: retrainingSchedule
    wakeStart: wakeStart
    wakeEnd: wakeEnd
    minReplicas: functionsMinReplicas
    maxReplicas: functionsMaxReplicas
    entraClientId: entraClientId
  }
  dependsOn: [storageRoles, registryRoles, telemetryRoles]
}

module trainer 'modules/trainer.bicep' = {
  scope: group
  params: {
    name: 'caj-trainer-${token}'
    location: location
    tags: allTags
    environmentId: environment.outputs.id
    gpuProfileType: gpuProfileType
    image: trainerImage
    registryServer: registry.outputs.loginServer
    identity: identity.outputs.trainer
    storageAccountName: storage.outputs.name
    applicationInsightsName: monitoring.outputs.applicationInsightsName
    maxHours: trainingMaxHours
    maxAttempts: trainingMaxAttempts
  }
  dependsOn: [storageRoles, registryRoles, telemetryRoles]
}

module storageLogs 'modules/storage-logs.bicep' = {
  scope: resourceGroup(storageParts[2], storageParts[4])
  params: { storageAccountName: storage.outputs.name, workspaceId: monitoring.outputs.workspaceId, name: 'writes-to-${token}' }
}

module alerts 'modules/alerts.bicep' = {
  scope: group
  params: {
    token: token
    location: location
    tags: allTags
    workspaceId: monitoring.outputs.workspaceId
    storageAccountName: storage.outputs.name
    trainerJobName: trainer.outputs.name
    eventTopicId: events.outputs.id
    overdueMinutes: overdueMinutes
    alertEmail: alertEmail
  }
}

module workbook 'modules/workbook.bicep' = {
  scope: group
  params: { location: location, tags: allTags, workspaceId: monitoring.outputs.workspaceId }
}

module budget 'modules/budget.bicep' = if (monthlyBudget > 0) {
  scope: group
  params: { amount: monthlyBudget, start: firstMonth, alertEmail: alertEmail, actionGroupId: alerts.outputs.actionGroupId }
}

// azd reads these; so does docs/deploy.md.
@description('The region.')
output AZURE_LOCATION string = location

@description('The Entra tenant.')
output AZURE_TENANT_ID string = tenant().tenantId

@description('The resource group.')
output AZURE_RESOURCE_GROUP string = group.name

@description('Host of the container registry, where azd pushes the images.')
output AZURE_CONTAINER_REGISTRY_ENDPOINT string = registry.outputs.loginServer

@description('Name of the Container Apps environment.')
output AZURE_CONTAINER_ENVIRONMENT_NAME string = environment.outputs.name

@description('Name of the storage account: AzureWebJobsStorage__accountName of sbert.')
output STORAGE_ACCOUNT_NAME string = storage.outputs.name

@description('Where /api/predict and /api/status are.')
output FUNCTIONS_URL string = functions.outputs.url

@description('Name of the functions\' container app.')
output FUNCTIONS_APP_NAME string = functions.outputs.name

@description('Id of the Functions host: its folder in azure-webjobs-hosts and azure-webjobs-secrets.')
output FUNCTIONS_HOST_ID string = functions.outputs.hostId

@description('Name of the training job.')
output TRAINER_JOB_NAME string = trainer.outputs.name

@description('Name of the Event Grid system topic.')
output EVENT_TOPIC_NAME string = events.outputs.name

@description('Name of the Application Insights component.')
output APPLICATIONINSIGHTS_NAME string = monitoring.outputs.applicationInsightsName

@description('Page of the workbook in the portal.')
output WORKBOOK_URL string = workbook.outputs.url

@description('First month of the budget; azd passes it on to the next deployment.')
output BUDGET_START string = firstMonth
