// What someone should be told: messages that were given up, trainings that failed, files without predictions.

@description('Token that makes names unique.')
param token string

@description('Region.')
param location string

@description('Tags of every resource.')
param tags object

@description('Resource id of the Log Analytics workspace.')
param workspaceId string

@description('Name of the storage account.')
param storageAccountName string

@description('Name of the training job.')
param trainerJobName string

@description('Who gets a mail; empty shows the alerts in the portal only.')
param alertEmail string

var rules = [
  {
    name: 'poison-messages'
    severity: 1
    description: 'A message was given up. Look at it with: sbert queues peek, then: sbert queues replay'
    query: 'StorageQueueLogs | where OperationName == "PutMessage" and toint(StatusCode) < 300 and Uri contains "-poison/messages"'
  }
  {
    name: 'failed-job-executions'
    severity: 2
    description: 'An execution of the training job failed. Its log says why; the request is tried again or is in training-requests-poison.'
    query: 'ContainerAppSystemLogs | where tostring(column_ifexists("JobName", "")) == "${trainerJobName}" | where tostring(column_ifexists("Reason", "")) in ("BackoffLimitExceeded", "DeadlineExceeded") or Log matches regex "exit code \'[1-9]"'
  }
  {
    name: 'no-predictions'
    severity: 2
    description: 'Review files arrived half an hour ago or earlier, and no predictions have appeared since. See /api/status, and whether a model is live.'
    query: 'let written = StorageBlobLogs | where (OperationName in ("PutBlob", "PutBlockList") or OperationName startswith "CopyBlob") and toint(StatusCode) < 300 | extend container = tostring(split(ObjectKey, "/")[2]); written | where container == "reviews" and TimeGenerated < ago(30m) | where toscalar(written | where container == "predictions" | count) == 0'
  }
]

resource account 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: storageAccountName

  resource blobs 'blobServices' existing = {
    name: 'default'
  }

  resource queues 'queueServices' existing = {
    name: 'default'
  }
}

resource blobLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'writes-to-workspace'
  scope: account::blobs
  properties: { workspaceId: workspaceId, logs: [{ category: 'StorageWrite', enabled: true }] }
}

resource queueLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'writes-to-workspace'
  scope: account::queues
  properties: { workspaceId: workspaceId, logs: [{ category: 'StorageWrite', enabled: true }] }
}

resource mail 'Microsoft.Insights/actionGroups@2023-01-01' = if (!empty(alertEmail)) {
  name: 'ag-${token}'
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'reviews'
    emailReceivers: [{ name: 'operator', emailAddress: alertEmail, useCommonAlertSchema: true }]
  }
}

resource alerts 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [
  for rule in rules: {
    name: '${rule.name}-${token}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: rule.name
      description: rule.description
      severity: rule.severity
      enabled: true
      scopes: [workspaceId]
      evaluationFrequency: 'PT15M'
      windowSize: 'PT1H'
      autoMitigate: true
      // The tables come with the first logs, after this deployment.
      skipQueryValidation: true
      criteria: {
        allOf: [
          {
            query: rule.query
            timeAggregation: 'Count'
            operator: 'GreaterThan'
            threshold: 0
            failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
          }
        ]
      }
      actions: { actionGroups: empty(alertEmail) ? [] : [mail.id] }
    }
  }
]
