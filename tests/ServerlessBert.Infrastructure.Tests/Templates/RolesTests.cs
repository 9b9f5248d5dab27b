using System.Text.RegularExpressions;

namespace ServerlessBert.Infrastructure.Tests;

public sealed class RolesTests
{
    /// <summary>The list is deployed once for each resource group that it may concern.</summary>
    private static readonly string[] Modules = ["storageRoles", "registryRoles", "telemetryRoles"];

    private static readonly Template Module = Bicep.Template.Module(Modules[0]);

    private sealed record Grant(string Identity, string On, string Name, string Role);

    private static readonly Grant[] Granted =
        [.. Module.Variable("grants").EnumerateArray()
            .Select(grant => new Grant(Text(grant, "identity"), Text(grant, "on"), Text(grant, "name"), Text(grant, "role")))];

    [Fact]
    public void Each_identitys_roles_are_exactly_the_documents_table() => Assert.Equal(Documented().Order(ByText), Granted.Order(ByText));

    [Fact]
    public void No_role_is_given_outside_of_the_list()
    {
        Assert.Equal(Bicep.Template.Resources("Microsoft.Authorization/roleAssignments").Length,
            Modules.Length * Module.Resources("Microsoft.Authorization/roleAssignments").Length);
        Assert.All(Modules, module => Assert.Equal(Module.Json.GetRawText(), Bicep.Template.Module(module).Json.GetRawText()));
        foreach (var assignment in Module.Resources("Microsoft.Authorization/roleAssignments"))
        {
            string list = Regex.Match(assignment.At("copy.count").GetString()!, @"^\[length\(variables\('(on\w+)'\)\)\]$").Groups[1].Value;
            Assert.Equal($"[subscriptionResourceId('Microsoft.Authorization/roleDefinitions', "
                + $"variables('roleIds')[variables('{list}')[copyIndex()].role])]", assignment.At("properties.roleDefinitionId").GetString());
            Assert.Equal($"[parameters('principals')[variables('{list}')[copyIndex()].identity]]",
                assignment.At("properties.principalId").GetString());
        }
    }

    [Fact]
    public void Each_kind_of_resource_gets_its_roles_in_one_resource_group()
    {
        var kinds = Modules.SelectMany(module => Bicep.Template.Json.At($"resources.{module}.properties.parameters.kinds.value").Strings());
        Assert.Equal(Granted.Select(grant => grant.On).Distinct().Order(), kinds.Order());
    }

    [Fact]
    public void Every_kind_of_resource_in_the_list_has_its_assignments()
    {
        string variables = Module.Json.GetProperty("variables").GetRawText();
        var lists = Regex.Matches(
            variables, @"""on\w+"": ""\[filter\(variables\('given'\), lambda\('grant', equals\(lambdaVariables\('grant'\)\.on, '([\w ]+)'\)\)\)\]""").Select(match => match.Groups[1].Value);
        Assert.Equal(Granted.Select(grant => grant.On).Distinct().Order(), lists.Order());
        Assert.Equal(lists.Count(), Module.Resources("Microsoft.Authorization/roleAssignments").Length);
    }

    [Theory]
    [InlineData("container", "containers", "serviceContainers")]
    [InlineData("queue", "queues", null)]
    public void Each_is_given_on_something_that_exists(string on, string list, string? more)
    {
        var storage = Bicep.Template.Module("storage");
        string[] existing = [.. storage.Variable(list).Strings(), .. more is null ? [] : storage.Variable(more).Strings()];
        Assert.All(Granted.Where(grant => grant.On == on), grant => Assert.Contains(grant.Name, existing));
    }

    [Fact]
    public void An_identity_of_an_app_has_no_role_on_the_whole_account() =>
        Assert.Equal(["operator"], Granted.Where(grant => grant.On == "account").Select(grant => grant.Identity).Distinct());

    [Theory]
    [InlineData("functions")]
    [InlineData("trainer")]
    [InlineData("events")]
    [InlineData("operator")]
    public void A_principal_is_known_by_each_name_that_the_list_uses(string identity)
    {
        Assert.Contains(identity, Granted.Select(grant => grant.Identity));
        Assert.True(Bicep.Template.Json.At("resources.storageRoles.properties.parameters.principals.value")
            .TryGetProperty(identity, out _));
    }

    [Fact]
    public void Role_ids_are_Azures_and_each_is_used()
    {
        // From the list of Azure's built-in roles.
        var azures = new Dictionary<string, string>
        {
            ["Storage Blob Data Owner"] = "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
            ["Storage Blob Data Contributor"] = "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
            ["Storage Blob Data Reader"] = "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1",
            ["Storage Queue Data Contributor"] = "974c5e8b-45b9-4653-ba55-5f855dd0fb88",
            ["Storage Queue Data Reader"] = "19e7f393-937e-4f77-808e-94535e297925",
            ["Storage Queue Data Message Sender"] = "c6a89b2d-59bc-44d0-9896-0f6e12d7b80a",
            ["AcrPull"] = "7f951dda-4ed3-4680-a7ca-43fe172d538d",
            ["Monitoring Metrics Publisher"] = "3913510d-42f4-4e42-8a64-420c390055eb",
        };
        Assert.Equal(azures, Module.Variable("roleIds").EnumerateObject().ToDictionary(role => role.Name, role => role.Value.GetString()!));
        Assert.Equal(azures.Keys.Order(), Granted.Select(grant => grant.Role).Distinct().Order());
    }

    /// <summary>
    /// Rows "| identity | resource | role | why |", a resource being "queue `review-files`" or "registry"; several names share a
    /// row.
    /// </summary>
    private static IEnumerable<Grant> Documented()
    {
        foreach (string[] row in MarkdownTable.Rows(Repository.Read("docs", "deploy.md"), "Identity"))
        {
            string on = row[1].Split('`')[0].Trim();
            string[] names = [.. Regex.Matches(row[1], "`([^`]+)`").Select(match => match.Groups[1].Value)];
            foreach (string name in names.DefaultIfEmpty("")) yield return new Grant(row[0], on, name, row[2]);
        }
    }

    private static readonly Comparer<Grant> ByText =
        Comparer<Grant>.Create((left, right) => string.CompareOrdinal(left.ToString(), right.ToString()));

    private static string Text(System.Text.Json.JsonElement grant, string name) => grant.GetProperty(name).GetString()!;
}
