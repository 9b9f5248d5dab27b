using System.Text.Json;
using System.Text.RegularExpressions;
using ServerlessBert.Pipeline.Storage;

namespace ServerlessBert.Infrastructure.Tests;

/// <summary>
/// The manifests against a written list: the fields that Kubernetes 1.30's and KEDA 2.16's references call required,
/// and those without which this installation would not work. There is no cluster here to ask.
/// </summary>
public sealed class KubernetesTests
{
    private static readonly Dictionary<string, (string ApiVersion, string[] Fields)> Required = new()
    {
        ["Namespace"] = ("v1", []),
        ["ServiceAccount"] = ("v1", ["metadata.namespace", "metadata.annotations"]),
        ["Service"] = ("v1", ["metadata.namespace", "spec.selector", "spec.ports"]),
        ["Deployment"] = ("apps/v1", ["metadata.namespace", "spec.selector.matchLabels", "spec.template.metadata.labels", "spec.template.spec.containers", "spec.template.spec.serviceAccountName"]),
        ["TriggerAuthentication"] = ("keda.sh/v1alpha1", ["metadata.namespace", "spec.podIdentity.provider", "spec.podIdentity.identityId"]),
        ["ScaledObject"] = ("keda.sh/v1alpha1", ["metadata.namespace", "spec.scaleTargetRef.name", "spec.triggers", "spec.minReplicaCount", "spec.maxReplicaCount"]),
        ["ScaledJob"] = ("keda.sh/v1alpha1", ["metadata.namespace", "spec.jobTargetRef.template.spec.containers", "spec.jobTargetRef.template.spec.restartPolicy", "spec.jobTargetRef.template.spec.serviceAccountName", "spec.jobTargetRef.backoffLimit", "spec.jobTargetRef.activeDeadlineSeconds", "spec.triggers", "spec.maxReplicaCount", "spec.pollingInterval"]),
    };

    [Fact]
    public void Every_document_is_of_a_kind_and_version_on_the_list_with_its_required_fields()
    {
        foreach (var document in Manifests.All)
        {
            string kind = document.GetProperty("kind").GetString()!;
            Assert.True(Required.TryGetValue(kind, out var rule), $"{kind} is not on the list");
            Assert.Equal(rule.ApiVersion, document.GetProperty("apiVersion").GetString());
            Assert.Matches("^[a-z][a-z0-9-]*$", document.At("metadata.name").GetString());
            foreach (string field in rule.Fields) Assert.True(Has(document, field), $"{kind} {document.At("metadata.name")} has no {field}");
        }
        Assert.Equal(Required.Keys.Order(), Manifests.All.Select(document => document.GetProperty("kind").GetString()!).Distinct().Order());
    }

    [Fact]
    public void Each_trigger_has_the_fields_of_its_scaler_all_of_them_strings()
    {
        foreach (var trigger in Triggers("ScaledObject", "functions").Concat(Triggers("ScaledJob", "trainer")))
        {
            var metadata = trigger.GetProperty("metadata");
            Assert.All(metadata.EnumerateObject(), entry => Assert.Equal(JsonValueKind.String, entry.Value.ValueKind));
            string[] fields = trigger.GetProperty("type").GetString() == "cron" ? ["timezone", "start", "end", "desiredReplicas"] : ["accountName", "queueName", "queueLength"];
            foreach (string field in fields) Assert.True(metadata.TryGetProperty(field, out _), $"a trigger has no {field}");
            if (fields.Length == 3) Assert.Contains(trigger.At("authenticationRef.name").GetString(), Manifests.All.Where(document => document.GetProperty("kind").GetString() == "TriggerAuthentication").Select(document => document.At("metadata.name").GetString()));
        }
    }

    [Fact]
    public void The_functions_scale_by_the_same_queues_and_lengths_as_in_Azure()
    {
        var azure = Bicep.Template.Module("functions").Variable("queueRules").EnumerateArray().Select(rule => (rule.GetProperty("queue").GetString(), rule.GetProperty("queueLength").GetString()));
        var here = Triggers("ScaledObject", "functions").Where(trigger => trigger.GetProperty("type").GetString() == "azure-queue")
            .Select(trigger => (trigger.At("metadata.queueName").GetString(), trigger.At("metadata.queueLength").GetString()));
        Assert.Equal(azure.Order(), here.Order());
    }

    [Fact]
    public void The_trainer_runs_once_for_a_visible_request_and_never_twice_at_a_time()
    {
        var metadata = Assert.Single(Triggers("ScaledJob", "trainer")).GetProperty("metadata");
        Assert.Equal((StorageNames.TrainingRequests, "1", "visibleonly"), (metadata.GetProperty("queueName").GetString(), metadata.GetProperty("queueLength").GetString(), metadata.GetProperty("queueLengthStrategy").GetString()));
        var spec = Manifests.One("ScaledJob", "trainer").GetProperty("spec");
        Assert.Equal(1, spec.GetProperty("maxReplicaCount").GetInt32());
        Assert.Equal("accurate", spec.At("scalingStrategy.strategy").GetString());
        Assert.Equal(0, spec.At("jobTargetRef.backoffLimit").GetInt32());
        Assert.Equal("Never", spec.At("jobTargetRef.template.spec.restartPolicy").GetString());
        Assert.Equal(1, spec.At("jobTargetRef.template.spec.containers")[0].At("resources.limits").GetProperty("nvidia.com/gpu").GetInt32());
    }

    [Theory]
    [InlineData("functions")]
    [InlineData("trainer")]
    public void A_pod_has_an_identity_and_no_root(string app)
    {
        var pod = Manifests.Pod(app);
        Assert.Equal("true", pod.At("metadata.labels").GetProperty("azure.workload.identity/use").GetString());
        Assert.Equal(app, pod.At("spec.serviceAccountName").GetString());
        Assert.True(pod.At("spec.securityContext.runAsNonRoot").GetBoolean());
        Assert.True(Manifests.One("ServiceAccount", app).At("metadata.annotations").TryGetProperty("azure.workload.identity/client-id", out _));
    }

    [Fact]
    public void What_is_left_to_fill_in_is_what_the_document_fills_in()
    {
        string text = string.Concat(Directory.GetFiles(Repository.PathOf("infra", "kubernetes"), "*.yaml").Select(File.ReadAllText));
        var left = Regex.Matches(text, @"\$\{(\w+)\}").Select(match => match.Groups[1].Value).Distinct();
        var filled = Regex.Matches(Repository.Read("docs", "kubernetes.md"), @"^export (\w+)=", RegexOptions.Multiline).Select(match => match.Groups[1].Value);
        Assert.Equal(left.Order(), filled.Intersect(left).Order());
    }

    private static IEnumerable<JsonElement> Triggers(string kind, string name) => Manifests.One(kind, name).At("spec.triggers").EnumerateArray();

    private static bool Has(JsonElement json, string path)
    {
        foreach (string name in path.Split('.'))
            if (json.ValueKind != JsonValueKind.Object || !json.TryGetProperty(name, out json)) return false;
        return true;
    }
}
