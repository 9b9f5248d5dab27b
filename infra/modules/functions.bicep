// The Functions app as a container app: its image has the Functions host, it scales from zero by the queues' lengths.

@description('Name of the container app.')
param name string

@description('Region.')
param location string

@description('Tags of every resource.')
param tags object

@description('functionapp or containerapp: see main.bicep.')
@allowed(['functionapp', 'containerapp'])
param kind string

@description('Resource id of the Container Apps environment.')
param environmentId string

@description('The image with its registry; empty for the first deployment, before there is one.')
param image string

@description('Host of the container registry.')
param registryServer string

@description('The functions\' identity.')
param identity { id: string, clientId: string, principalId: string }

@description('Name of the storage account.')
param storageAccountName string

@description('Name of the Application Insights component.')
param applicationInsightsName string

@description('When the sweep looks for what was missed: six fields, seconds first, UTC.')
param sweepSchedule string

@description('When retraining is considered: six fields, seconds first, UTC.')
param retrainingSchedule string

@description('When the app is woken so that its timers run though no file arrives: five fields, minutes first, UTC.')
param wakeStart string

@description('When the app may sleep again.')
param wakeEnd string

@description('Least replicas.')
param minReplicas int

@description('Most replicas.')
param maxReplicas int

@description('Client id of the Entra application that callers sign in to; empty asks for no sign-in.')
param entraClientId string

var port = 8080

// All replicas are one host: timers run on one of them, and all take the same keys. Azure allows 32 characters.
var hostId = take(name, 32)

// Until the first image is pushed: the Functions host without functions.
var firstImage = 'mcr.microsoft.com/azure-functions/dotnet-isolated:4-dotnet-isolated10.0'

// A replica takes some batches in the time that another needs to start: one replica a batch would start many for a
// file that the first is through with before they are up.
var queueRules = [
  { queue: 'review-files', queueLength: '4' }
  { queue: 'review-batches', queueLength: '8' }
  { queue: 'review-batches-poison', queueLength: '32' }
]
var scaleRules = [
  for rule in queueRules: {
    name: rule.queue
    custom: {
      type: 'azure-queue'
      identity: identity.id
      metadata: { accountName: storageAccountName, queueName: rule.queue, queueLength: rule.queueLength }
    }
  }
]
var otherRules = [
  { name: 'http', http: { metadata: { concurrentRequests: '10' } } }
  {
    name: 'timers'
    custom: {
      type: 'cron'
      metadata: { timezone: 'Etc/UTC', start: wakeStart, end: wakeEnd, desiredReplicas: '1' }
    }
  }
]

resource applicationInsights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: applicationInsightsName
}

var configuration = {
  activeRevisionsMode: 'Single'
  ingress: { external: true, allowInsecure: false, targetPort: port, transport: 'auto' }
  registries: [{ server: registryServer, identity: identity.id }]
}
var containers = [
  {
    name: 'functions'
    image: empty(image) ? firstImage : image
    resources: { cpu: 4, memory: '8Gi' }
    env: [
      { name: 'FUNCTIONS_WORKER_RUNTIME', value: 'dotnet-isolated' }
      // The first image, too, must listen where the ingress asks; by itself it would on port 80.
      { name: 'ASPNETCORE_URLS', value: 'http://+:${port}' }
      { name: 'AzureFunctionsWebHost__hostid', value: hostId }
      // By default the host takes keys from the platform, which makes none; in blobs it makes its own.
      { name: 'AzureWebJobsSecretStorageType', value: 'blob' }
      { name: 'AzureWebJobsStorage__accountName', value: storageAccountName }
      { name: 'AzureWebJobsStorage__credential', value: 'managedidentity' }
      { name: 'AzureWebJobsStorage__clientId', value: identity.clientId }
      { name: 'SweepSchedule', value: sweepSchedule }
      { name: 'RetrainingSchedule', value: retrainingSchedule }
      // Says where telemetry goes; it opens nothing, for the component takes no key (DisableLocalAuth).
      { name: 'APPLICATIONINSIGHTS_CONNECTION_STRING', value: applicationInsights.properties.ConnectionString }
      { name: 'APPLICATIONINSIGHTS_AUTHENTICATION_STRING', value: 'ClientId=${identity.clientId};Authorization=AAD' }
    ]
  }
]
// The host is process 1 and cancels what it runs when it is asked to end: batches in hand come back to the queue at
// once, and a batch takes under 20 s.
var gracePeriod = 60

resource app 'Microsoft.App/containerApps@2026-03-02-preview' = if (kind == 'functionapp') {
  name: name
  location: location
  kind: 'functionapp'
  tags: union(tags, { 'azd-service-name': 'functions' })
  identity: { type: 'UserAssigned', userAssignedIdentities: { '${identity.id}': {} } }
  properties: {
    environmentId: environmentId
    workloadProfileName: 'Consumption'
    configuration: configuration
    template: {
      terminationGracePeriodSeconds: gracePeriod
      containers: containers
      scale: {
        minReplicas: minReplicas
        maxReplicas: maxReplicas
        // Documented for this API version (learn.microsoft.com/azure/container-apps/functions-scale-rule-override), and
        // not yet in the compiler's types. Without it the platform makes its own rules, which fail with a
        // user-assigned identity (github.com/microsoft/azure-container-apps/issues/1633).
        #disable-next-line BCP037
        allowScalingRuleOverride: true
        rules: concat(scaleRules, otherRules)
      }
    }
  }
}

resource plainApp 'Microsoft.App/containerApps@2026-01-01' = if (kind == 'containerapp') {
  name: name
  location: location
  tags: union(tags, { 'azd-service-name': 'functions' })
  identity: { type: 'UserAssigned', userAssignedIdentities: { '${identity.id}': {} } }
  properties: {
    environmentId: environmentId
    workloadProfileName: 'Consumption'
    configuration: configuration
    template: {
      terminationGracePeriodSeconds: gracePeriod
      containers: containers
      scale: { minReplicas: minReplicas, maxReplicas: maxReplicas, rules: concat(scaleRules, otherRules) }
    }
  }
}

// Callers show a token of this tenant; without one they get 401 before the app is asked.
resource signIn 'Microsoft.App/containerApps/authConfigs@2026-01-01' = if (!empty(entraClientId)) {
  parent: plainApp // By its name, which both have.
  name: 'current'
  properties: {
    platform: { enabled: true }
    globalValidation: { unauthenticatedClientAction: 'Return401' }
    identityProviders: {
      azureActiveDirectory: {
        enabled: true
        registration: {
          clientId: entraClientId
          openIdIssuer: '${az.environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
        }
        validation: { allowedAudiences: [entraClientId, 'api://${entraClientId}'] }
      }
    }
  }
  dependsOn: [app]
}

@description('The app\'s name.')
output name string = name

@description('The id that the Functions host has.')
output hostId string = hostId

@description('Where /api/predict and /api/status are.')
output url string = 'https://${kind == 'functionapp' ? app!.properties.configuration.ingress!.fqdn : plainApp!.properties.configuration.ingress!.fqdn}'
