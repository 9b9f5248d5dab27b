// A page in the portal with the pipeline's metrics, which functions and trainer send by OpenTelemetry.

@description('Region.')
param location string

@description('Tags of every resource.')
param tags object

@description('Resource id of the Log Analytics workspace that the metrics are in.')
param workspaceId string

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(resourceGroup().id, 'serverlessbert')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'ServerlessBert'
    category: 'workbook'
    version: 'Notebook/1.0'
    sourceId: workspaceId
    serializedData: loadTextContent('../workbook.json')
  }
}

@description('The page.')
output url string = '${environment().portal}/#resource${workbook.id}'
