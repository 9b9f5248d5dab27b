// What someone should be told, each with what to do: it ends in docs/deploy.md's table of symptoms.

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

@description('Resource id of the Event Grid system topic.')
param eventTopicId string

@description('Minutes after which a file without predictions is overdue.')
param overdueMinutes int

@description('Who gets a mail; empty shows the alerts in the portal only.')
param alertEmail string

// Writes to blobs, the container and the blob's name in it told apart; a name with a slash keeps it.
var blobWrites = 'let writes = StorageBlobLogs | where AccountName == "${storageAccountName}" and (OperationName in ("PutBlob", "PutBlockList") or OperationName startswith "CopyBlob") and toint(StatusCode) < 300 | parse ObjectKey with "/" account "/" container "/" blob;'

var rules = [
  {
    name: 'overdue-files'
    severity: 2
    description: 'A review file has no predictions ${overdueMinutes} minutes after it was dropped. See: sbert status'
    // Each file for itself: others that are classified meanwhile hide none. Predictions are called as the file with .jsonl.
    query: '${blobWrites} writes | where container == "reviews" and not(blob startswith "processed/") | summarize dropped = max(TimeGenerated) by file = blob | where dropped < ago(${overdueMinutes}m) | join kind=leftouter (writes | where container == "predictions" and blob endswith ".jsonl" | summarize answered = max(TimeGenerated) by file = substring(blob, 0, strlen(blob) - 6)) on file | where isnull(answered) or answered < dropped'
    lookBack: 'P2D'
  }
  {
    name: 'poison-messages'
    severity: 1
    description: 'A message was dead-lettered. Look at it with: sbert queues peek, then: sbert queues replay'
    query: 'StorageQueueLogs | where AccountName == "${storageAccountName}" and OperationName == "PutMessage" and toint(StatusCode) < 300 and Uri contains "-poison/messages"'
    lookBack: ''
  }
  {
    name: 'scaling-failed'
    severity: 1
    description: 'The platform cannot read a queue length or start a replica, so files or trainings may wait for nobody. The reason is in the log.'
    query: 'ContainerAppSystemLogs | where Reason == "KEDAScalerFailed"'
    lookBack: ''
  }
  {
    name: 'training-failed'
    severity: 2
    // 3, 4 and 5 are the trainer's own decisions: the request is back in the queue.
    description: 'An execution of the training job failed. Its log says why; the request is retried or is in training-requests-poison.'
    query: 'ContainerAppSystemLogs | where tostring(column_ifexists("JobName", "")) == "${trainerJobName}" | where tostring(column_ifexists("Reason", "")) == "DeadlineExceeded" or Log matches regex "exit code \'([126789]|[1-9][0-9]+)\'"'
    lookBack: ''
  }
  {
    name: 'model-not-loadable'
    severity: 1
    description: 'A host could not load a model version; the version before goes on serving, if there is one. See: sbert models verify'
    query: 'ContainerAppConsoleLogs | where Log matches regex "Model .* cannot be loaded: "'
    lookBack: ''
  }
  {
    name: 'logs-capped'
    severity: 2
    description: 'The workspace has reached its limit of the day: until tomorrow nothing is logged and no other alert is raised.'
    query: '_LogOperation | where Category == "Ingestion" and Operation startswith "Data collection" and Level == "Warning"'
    lookBack: ''
  }
]

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
      overrideQueryTimeRange: empty(rule.lookBack) ? null : rule.lookBack
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

resource deadLetters 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: 'event-dead-letters-${token}'
  location: 'global'
  tags: tags
  properties: {
    description: 'Event Grid could not tell review-files of a file and kept the event in event-dead-letters; the sweep takes up the file.'
    severity: 2
    enabled: true
    scopes: [eventTopicId]
    evaluationFrequency: 'PT15M'
    windowSize: 'PT1H'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          name: 'dead-letters'
          criterionType: 'StaticThresholdCriterion'
          metricName: 'DeadLetteredCount'
          timeAggregation: 'Total'
          operator: 'GreaterThan'
          threshold: 0
        }
      ]
    }
    actions: empty(alertEmail) ? [] : [{ actionGroupId: mail.id }]
  }
}

@description('Resource id of the group that is told; empty without an address.')
output actionGroupId string = empty(alertEmail) ? '' : mail.id
