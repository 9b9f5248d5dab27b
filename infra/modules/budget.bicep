// A mail when the resource group costs more than expected; it stops nothing.

@description('Budget a month, in the subscription\'s currency.')
param amount int

@description('First day of the first month, as 2026-11-01.')
param start string

@description('Who gets a mail beside the owners; may be empty.')
param alertEmail string

@description('Resource id of the action group that is told too; may be empty.')
param actionGroupId string

resource budget 'Microsoft.Consumption/budgets@2024-08-01' = {
  name: 'serverlessbert'
  properties: {
    category: 'Cost'
    amount: amount
    timeGrain: 'Monthly'
    // Azure refuses another start date for a budget that exists, and with it the whole deployment.
    timePeriod: { startDate: start }
    notifications: {
      eighty: {
        enabled: true
        operator: 'GreaterThan'
        threshold: 80
        thresholdType: 'Actual'
        contactEmails: empty(alertEmail) ? [] : [alertEmail]
        contactGroups: empty(actionGroupId) ? [] : [actionGroupId]
        contactRoles: ['Owner']
      }
      forecast: {
        enabled: true
        operator: 'GreaterThan'
        threshold: 100
        thresholdType: 'Forecasted'
        contactEmails: empty(alertEmail) ? [] : [alertEmail]
        contactGroups: empty(actionGroupId) ? [] : [actionGroupId]
        contactRoles: ['Owner']
      }
    }
  }
}
