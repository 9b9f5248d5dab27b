using System.Text.Json;
using System.Text.RegularExpressions;

namespace ServerlessBert.Infrastructure.Tests;

public sealed class BudgetTests
{
    private static readonly JsonElement Budget = Bicep.Template.Module("budget").Resource("Microsoft.Consumption/budgets")
        .GetProperty("properties");

    [Fact]
    public void It_tells_before_it_is_spent()
    {
        Assert.Equal("Monthly", Budget.GetProperty("timeGrain").GetString());
        Assert.Contains(
            Budget.GetProperty("notifications").EnumerateObject(), notification =>
            notification.Value.GetProperty("threshold").GetInt32() < 100);
        Assert.All(Budget.GetProperty("notifications").EnumerateObject(),
            notification => Assert.Equal(["Owner"], notification.Value.GetProperty("contactRoles").Strings()));
    }

    [Fact]
    public void Zero_makes_none()
    {
        Assert.Equal("[greater(parameters('monthlyBudget'), 0)]", Bicep.Template.Json.At("resources.budget.condition").GetString());
        Assert.Equal(0, Bicep.Template.Parameter("monthlyBudget").GetProperty("minValue").GetInt32());
    }

    [Fact]
    public void Its_first_month_comes_back_with_the_next_deployment()
    {
        // Azure answers 400 to another start date of a budget that exists, and the whole deployment fails.
        Assert.Equal("[variables('firstMonth')]", Bicep.Template.Json.At("resources.budget.properties.parameters.start.value").GetString());
        Assert.Equal("[if(empty(parameters('budgetStart')), parameters('thisMonth'), parameters('budgetStart'))]",
            Bicep.Template.Variable("firstMonth").GetString());
        Assert.Equal("[variables('firstMonth')]", Bicep.Template.Json.At("outputs.BUDGET_START.value").GetString());
        Assert.Contains(
            "\"budgetStart\": { \"value\": \"${BUDGET_START=}\" }", Repository.Read("infra", "main.parameters.json"),
            StringComparison.Ordinal);
    }

    [Fact]
    public void The_time_of_a_deployment_reaches_nothing_but_what_an_output_keeps()
    {
        var ofNow = Bicep.Template.All()
            .SelectMany(template => template.Json.TryGetProperty("parameters", out var parameters)
            ? parameters.EnumerateObject().ToArray() : [])
            .Where(parameter =>
                parameter.Value.TryGetProperty("defaultValue", out var value) && Regex.IsMatch(value.ToString(), @"\b(utcNow|newGuid)\("));
        Assert.Equal(["thisMonth"], ofNow.Select(parameter => parameter.Name));
        Assert.Equal(2, Regex.Count(Bicep.Main.Output, "(?<=parameters\\(')thisMonth|utcNow\\("));
        Assert.DoesNotContain(
            "parameters('thisMonth')", Bicep.Template.Json.GetProperty("resources").GetRawText(), StringComparison.Ordinal);
    }
}
