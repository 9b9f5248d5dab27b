// ServerlessBert in Azure, whole: a resource group, and in it storage, events, identities, monitoring, a registry, a
// Container Apps environment with the functions and the training job. No key, no secret, no script after it.
targetScope = 'subscription'

@description('Name of this installation; the resource group is called after it.')
@minLength(1)
@maxLength(40)
param environmentName string

@description('Region of everything. It must offer the GPU profile (see docs/deploy.md).')
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

@description('GPU of the training job: a T4 (16 GB) fine-tunes bert-base, an A100 (80 GB) several times faster.')
@allowed(['Consumption-GPU-NC8as-T4', 'Consumption-GPU-NC24-A100'])
param gpuProfileType string = 'Consumption-GPU-NC8as-T4'

@description('When the sweep looks for files and batches that were missed, while the app runs: six fields, seconds first, UTC.')
param sweepSchedule string = '0 */5 * * * *'

@description('When retraining is considered, while the app runs: six fields, seconds first, UTC.')
param retrainingSchedule string = '0 0 * * * *'

@description('When the app is woken for its timers though no file arrives: five fields, minutes first, UTC. A timer that was due meanwhile runs at once.')
param wakeSchedule { start: string, end: string } = { start: '0 */6 * * *', end: '2 */6 * * *' }

@description('Least replicas of the functions: 0 costs nothing while idle, 1 answers /api/predict without a cold start.')
@minValue(0)
param functionsMinReplicas int = 0

@description('Most replicas of the functions, of 4 vCPU each: the limit of speed and of cost.')
@minValue(1)
@maxValue(1000)
param functionsMaxReplicas int = 10

@description('Whether the functions scale by this template\'s rules; false leaves it to the rules that the platform makes from the triggers.')
param ownScaleRules bool = true

@description('Longest training in hours; the job is ended an hour later.')
@minValue(1)
@maxValue(23)
param trainingMaxHours int = 6

@description('How often a training request is taken up without any progress before it is given up.')
@minValue(1)
param trainingMaxAttempts int = 5

@description('Days after which review files are deleted, and their runs a week later; 0 keeps both.')
@minValue(0)
param retentionDays int = 0

@description('Days that logs are kept.')
@minValue(30)
@maxValue(730)
param logRetentionDays int = 30

@description('Whether the apps and the storage account are on a private network.')
param privateNetwork bool = false

@description('IPv4 addresses or ranges that may reach the storage account beside the private network, such as the operator\'s.')
param allowedIpAddresses string[] = []

@description('Who gets a mail for alerts and the budget; empty shows alerts in the portal only.')
param alertEmail string = ''

@description('Budget a month, in the subscription\'s currency; a mail at 80 %, nothing is stopped.')
@minValue(1)
param monthlyBudget int = 100

@description('First day of the budget\'s first month; it cannot be moved later, so pass the first one on when deploying again.')
param budgetStart string = utcNow('yyyy-MM-01')

var token = uniqueString(subscription().id, environmentName, location)
var tags = { 'azd-env-name': environmentName }

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: 'rg-${environmentName}'
  location: location
  tags: tags
}

module identity 'modules/identity.bicep' = {
  scope: group
  params: { token: token, location: location, tags: tags }
}

module storage 'modules/storage.bicep' = {
  scope: group
  params: {
    name: 'st${token}'
    location: location
    tags: tags
    retentionDays: retentionDays
    privateNetwork: privateNetwork
    allowedIpAddresses: allowedIpAddresses
  }
}

module monitoring 'modules/monitoring.bicep' = {
  scope: group
  params: { token: token, location: location, tags: tags, logRetentionDays: logRetentionDays }
}

module registry 'modules/registry.bicep' = {
  scope: group
  params: { name: 'cr${token}', location: location, tags: tags }
}

module network 'modules/network.bicep' = if (privateNetwork) {
  scope: group
  params: { token: token, location: location, tags: tags, storageAccountId: storage.outputs.id }
}

module environment 'modules/environment.bicep' = {
  scope: group
  params: {
    name: 'cae-${token}'
    location: location
    tags: tags
    gpuProfileType: gpuProfileType
    workspaceId: monitoring.outputs.workspaceId
    subnetId: network.?outputs.appsSubnetId ?? ''
  }
}

module events 'modules/events.bicep' = {
  scope: group
  params: { name: 'egst-${token}', location: location, tags: tags, storageAccountId: storage.outputs.id }
}

module roles 'modules/roles.bicep' = {
  scope: group
  params: {
    principals: {
      functions: identity.outputs.functions.principalId
      trainer: identity.outputs.trainer.principalId
      events: events.outputs.principalId
      operator: operatorPrincipalId
    }
    operatorPrincipalType: operatorPrincipalType
    storageAccountName: storage.outputs.name
    registryName: registry.outputs.name
    applicationInsightsName: monitoring.outputs.applicationInsightsName
  }
}

module eventSubscription 'modules/event-subscription.bicep' = {
  scope: group
  params: { topicName: events.outputs.name, storageAccountId: storage.outputs.id }
  dependsOn: [roles]
}

module functions 'modules/functions.bicep' = {
  scope: group
  params: {
    name: 'ca-functions-${token}'
    location: location
    tags: tags
    environmentId: environment.outputs.id
    image: functionsImage
    registryServer: registry.outputs.loginServer
    identity: identity.outputs.functions
    storageAccountName: storage.outputs.name
    applicationInsightsName: monitoring.outputs.applicationInsightsName
    sweepSchedule: sweepSchedule
    retrainingSchedule: retrainingSchedule
    wakeSchedule: wakeSchedule
    minReplicas: functionsMinReplicas
    maxReplicas: functionsMaxReplicas
    ownScaleRules: ownScaleRules
  }
  dependsOn: [roles]
}

module trainer 'modules/trainer.bicep' = {
  scope: group
  params: {
    name: 'caj-trainer-${token}'
    location: location
    tags: tags
    environmentId: environment.outputs.id
    gpuProfileType: gpuProfileType
    image: trainerImage
    registryServer: registry.outputs.loginServer
    identity: identity.outputs.trainer
    storageAccountName: storage.outputs.name
    maxHours: trainingMaxHours
    maxAttempts: trainingMaxAttempts
  }
  dependsOn: [roles]
}

module alerts 'modules/alerts.bicep' = {
  scope: group
  params: {
    token: token
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
    storageAccountName: storage.outputs.name
    trainerJobName: trainer.outputs.name
    alertEmail: alertEmail
  }
}

module budget 'modules/budget.bicep' = {
  scope: group
  params: { amount: monthlyBudget, start: budgetStart, alertEmail: alertEmail }
}

// azd reads these; so does docs/deploy.md.
@description('The resource group.')
output AZURE_RESOURCE_GROUP string = group.name

@description('Host of the container registry, where azd pushes the images.')
output AZURE_CONTAINER_REGISTRY_ENDPOINT string = registry.outputs.loginServer

@description('Name of the storage account: AzureWebJobsStorage__accountName of sbert.')
output STORAGE_ACCOUNT_NAME string = storage.outputs.name

@description('Where /api/predict and /api/status are.')
output FUNCTIONS_URL string = functions.outputs.url

@description('Name of the functions\' container app.')
output FUNCTIONS_APP_NAME string = functions.outputs.name

@description('Name of the training job.')
output TRAINER_JOB_NAME string = trainer.outputs.name
