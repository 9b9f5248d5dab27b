// The training job: started when a request waits, one execution at a time, on a GPU where there is one.

@description('Name of the job.')
param name string

@description('Region.')
param location string

@description('Tags of every resource.')
param tags object

@description('Resource id of the Container Apps environment.')
param environmentId string

@description('Type of the GPU profile, which says how much processor and memory a replica gets; empty trains on processors.')
param gpuProfileType string

@description('The image with its registry; empty for the first deployment, before there is one.')
param image string

@description('Host of the container registry.')
param registryServer string

@description('The trainer\'s identity.')
param identity { id: string, clientId: string, principalId: string }

@description('Name of the storage account.')
param storageAccountName string

@description('Name of the Application Insights component.')
param applicationInsightsName string

@description('Longest training in hours: what was learned by then is evaluated and published.')
param maxHours int

@description('How often a request is taken up without any progress before it goes to the poison queue.')
param maxAttempts int

// Until the first image is pushed: a job that ends at once and takes no message.
var firstImage = 'mcr.microsoft.com/k8se/quickstart-jobs:latest'

var hasGpu = !empty(gpuProfileType)
var resources = {
  '': { cpu: 4, memory: '8Gi' }
  'Consumption-GPU-NC8as-T4': { cpu: 8, memory: '56Gi' }
  'Consumption-GPU-NC24-A100': { cpu: 24, memory: '220Gi' }
}

resource applicationInsights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: applicationInsightsName
}

resource job 'Microsoft.App/jobs@2026-01-01' = {
  name: name
  location: location
  tags: union(tags, { 'azd-service-name': 'trainer' })
  identity: { type: 'UserAssigned', userAssignedIdentities: { '${identity.id}': {} } }
  properties: {
    environmentId: environmentId
    workloadProfileName: hasGpu ? 'gpu' : 'Consumption'
    configuration: {
      triggerType: 'Event'
      // The training's own limit, and an hour for downloads, evaluation and publishing.
      replicaTimeout: (maxHours + 1) * 3600
      // The queue tries again: a second container in the same execution would find the message invisible.
      replicaRetryLimit: 0
      registries: [{ server: registryServer, identity: identity.id }]
      eventTriggerConfig: {
        parallelism: 1
        replicaCompletionCount: 1
        scale: {
          minExecutions: 0
          maxExecutions: 1
          pollingInterval: 30
          rules: [
            {
              name: 'training-requests'
              type: 'azure-queue'
              identity: identity.id
              metadata: {
                accountName: storageAccountName
                queueName: 'training-requests'
                queueLength: '1'
                // A request that an execution holds is invisible, and must not start another.
                queueLengthStrategy: 'visibleonly'
              }
            }
          ]
        }
      }
    }
    template: {
      containers: [
        {
          name: 'trainer'
          image: empty(image) ? firstImage : image
          resources: resources[gpuProfileType]
          env: [
            { name: 'AzureWebJobsStorage__accountName', value: storageAccountName }
            { name: 'AzureWebJobsStorage__clientId', value: identity.clientId }
            // Not auto: without a device a training would run for hours on the processor, at a GPU's price.
            { name: 'ServerlessBert__Trainer__Device', value: hasGpu ? 'cuda' : 'cpu' }
            { name: 'ServerlessBert__Trainer__MaxHours', value: string(maxHours) }
            { name: 'ServerlessBert__Trainer__MaxAttempts', value: string(maxAttempts) }
            // Says where telemetry goes; it opens nothing, for the component takes no key (DisableLocalAuth).
            { name: 'APPLICATIONINSIGHTS_CONNECTION_STRING', value: applicationInsights.properties.ConnectionString }
          ]
        }
      ]
    }
  }
}

@description('The job\'s name.')
output name string = job.name
