using System.Text.Json;
using System.Text.RegularExpressions;
using k8s;
using k8s.Models;
using ServerlessBert.Pipeline.Storage;

namespace ServerlessBert.Infrastructure.Tests;

/// <summary>
/// The manifests against Kubernetes' own types, which its client for .NET has, and for KEDA, which has none, against a
/// written list of the fields that KEDA 2.16's reference calls required. There is no cluster here to ask.
/// </summary>
public sealed class KubernetesTests
{
    private static readonly Dictionary<string, Type> OwnTypes = new()
    {
        ["v1/Namespace"] = typeof(V1Namespace),
        ["v1/ServiceAccount"] = typeof(V1ServiceAccount),
        ["v1/Service"] = typeof(V1Service),
        ["v1/PersistentVolumeClaim"] = typeof(V1PersistentVolumeClaim),
        ["apps/v1/Deployment"] = typeof(V1Deployment),
        ["batch/v1/CronJob"] = typeof(V1CronJob),
        ["networking.k8s.io/v1/NetworkPolicy"] = typeof(V1NetworkPolicy),
    };

    private static readonly Dictionary<string, string[]> KedasTypes = new()
    {
        ["keda.sh/v1alpha1/TriggerAuthentication"] = ["spec.podIdentity.provider", "spec.podIdentity.identityId"],
        ["keda.sh/v1alpha1/ScaledObject"] = ["spec.scaleTargetRef.name", "spec.triggers", "spec.minReplicaCount", "spec.maxReplicaCount"],
        ["keda.sh/v1alpha1/ScaledJob"] =
            ["spec.jobTargetRef.template.spec.restartPolicy", "spec.jobTargetRef.backoffLimit", "spec.jobTargetRef.activeDeadlineSeconds",
            "spec.triggers", "spec.maxReplicaCount", "spec.pollingInterval"],
    };

    public static TheoryData<string> Overlays => ["azure", "azurite"];

    [Theory]
    [MemberData(nameof(Overlays))]
    public void Every_document_is_of_a_known_type_in_one_namespace_with_no_field_that_the_type_lacks(string overlay)
    {
        foreach (var document in Overlay(overlay).Documents.Concat(Overlay(overlay).Patches))
        {
            string type = $"{document.GetProperty("apiVersion").GetString()}/{document.GetProperty("kind").GetString()}";
            Assert.Matches("^[a-z][a-z0-9-]*$", document.At("metadata.name").GetString());
            if (!type.EndsWith("/Namespace", StringComparison.Ordinal)) Assert.Equal(
                "serverlessbert", document.At("metadata.namespace").GetString());
            if (OwnTypes.TryGetValue(type, out var own)) Read(own, document);
            else
            {
                Assert.True(KedasTypes.TryGetValue(type, out string[]? fields), $"{type} is not on the list");
                foreach (string field in fields!) Assert.True(
                    Has(document, field), $"{type} {document.At("metadata.name")} has no {field}");
            }
        }
    }

    [Fact]
    public void A_pod_that_KEDA_starts_is_a_pod_by_Kubernetes_own_type() =>
        Read(typeof(V1PodTemplateSpec), Manifests.Azure.One("ScaledJob", "trainer").At("spec.jobTargetRef.template"));

    [Fact]
    public void A_field_that_a_type_lacks_is_found() =>
        Assert.ThrowsAny<Exception>(() => Read(typeof(V1Service), JsonDocument.Parse("""{"apiVersion":"v1","kind":"Service","spec":{"port":80}}""").RootElement));

    [Theory]
    [MemberData(nameof(Overlays))]
    public void A_patch_changes_something_that_is_there(string overlay)
    {
        var manifests = Overlay(overlay);
        Assert.NotEmpty(manifests.Patches);
        Assert.All(manifests.Patches,
            patch => manifests.One(patch.GetProperty("kind").GetString()!, patch.At("metadata.name").GetString()!));
    }

    [Fact]
    public void Every_file_is_part_of_an_overlay()
    {
        string top = Repository.PathOf("infra", "kubernetes");
        int inFiles = Directory.GetFiles(top, "*.yaml", SearchOption.AllDirectories)
            .Where(file => Path.GetFileName(file) != "kustomization.yaml")
            .Sum(file => Yaml.Read(Path.GetRelativePath(Repository.Root, file)).Count);
        var all = new[] { Manifests.Azure, Manifests.Azurite }.SelectMany(overlay => overlay.Documents.Concat(overlay.Patches))
            .Select(document => document.GetRawText());
        Assert.Equal(inFiles, all.Distinct().Count());
    }

    [Fact]
    public void Each_trigger_has_the_fields_of_its_scaler_all_of_them_strings()
    {
        foreach (var trigger in Triggers("ScaledObject", "functions").Concat(Triggers("ScaledJob", "trainer")))
        {
            var metadata = trigger.GetProperty("metadata");
            Assert.All(metadata.EnumerateObject(), entry => Assert.Equal(JsonValueKind.String, entry.Value.ValueKind));
            string[] fields = trigger.GetProperty("type").GetString() == "cron" ? ["timezone", "start", "end", "desiredReplicas"]
                : ["accountName", "queueName", "queueLength"];
            foreach (string field in fields) Assert.True(metadata.TryGetProperty(field, out _), $"a trigger has no {field}");
            if (fields.Length == 3) Assert.Contains(
                trigger.At("authenticationRef.name").GetString(),
                Manifests.Azure.Documents.Where(document => document.GetProperty("kind").GetString() == "TriggerAuthentication")
                .Select(document => document.At("metadata.name").GetString()));
        }
    }

    [Fact]
    public void The_functions_scale_by_the_same_queues_and_lengths_as_in_Azure()
    {
        var azure = Bicep.Template.Module("functions").Variable("queueRules").EnumerateArray()
            .Select(rule => (rule.GetProperty("queue").GetString(), rule.GetProperty("queueLength").GetString()));
        var here = Triggers("ScaledObject", "functions").Where(trigger => trigger.GetProperty("type").GetString() == "azure-queue")
            .Select(trigger => (trigger.At("metadata.queueName").GetString(), trigger.At("metadata.queueLength").GetString()));
        Assert.Equal(azure.Order(), here.Order());
    }

    [Fact]
    public void The_trainer_runs_once_for_a_visible_request_and_never_twice_at_a_time()
    {
        var metadata = Assert.Single(Triggers("ScaledJob", "trainer")).GetProperty("metadata");
        Assert.Equal((StorageNames.TrainingRequests, "1", "visibleonly"),
            (metadata.GetProperty("queueName").GetString(), metadata.GetProperty("queueLength").GetString(),
            metadata.GetProperty("queueLengthStrategy").GetString()));
        var spec = Manifests.Azure.One("ScaledJob", "trainer").GetProperty("spec");
        Assert.Equal(1, spec.GetProperty("maxReplicaCount").GetInt32());
        Assert.Equal("accurate", spec.At("scalingStrategy.strategy").GetString());
        Assert.Equal(0, spec.At("jobTargetRef.backoffLimit").GetInt32());
        Assert.Equal("Never", spec.At("jobTargetRef.template.spec.restartPolicy").GetString());
        Assert.Equal(1, spec.At("jobTargetRef.template.spec.containers")[0].At("resources.limits").GetProperty("nvidia.com/gpu")
            .GetInt32());
    }

    [Fact]
    public void A_node_with_a_GPU_is_asked_for_and_its_taints_are_borne()
    {
        var pod = Manifests.Azure.Pod("trainer").GetProperty("spec");
        Assert.Equal("nvidia", pod.GetProperty("nodeSelector").GetProperty("kubernetes.azure.com/accelerator").GetString());
        Assert.Equal(["nvidia.com/gpu", "sku"],
            pod.GetProperty("tolerations").EnumerateArray().Select(toleration => toleration.GetProperty("key").GetString()).Order());
    }

    [Theory]
    [InlineData("functions")]
    [InlineData("trainer")]
    public void A_pod_in_Azure_has_an_identity(string app)
    {
        JsonElement[] parts =
            [Manifests.Azure.Pod(app),
            .. Manifests.Azure.Patches.Where(patch => Manifests.Is(patch, "Deployment", app)).Select(patch => patch.At("spec.template"))];
        Assert.Contains(
            parts, part => part.At("metadata.labels").TryGetProperty("azure.workload.identity/use", out var use)
            && use.GetString() == "true");
        Assert.Equal(app, Manifests.Azure.Pod(app).At("spec.serviceAccountName").GetString());
        Assert.True(Manifests.Azure.Patches.Single(patch => Manifests.Is(patch, "ServiceAccount", app)).At("metadata.annotations")
            .TryGetProperty("azure.workload.identity/client-id", out _));
    }

    [Theory]
    [MemberData(nameof(Overlays))]
    public void A_pod_can_do_no_more_than_its_work(string overlay)
    {
        foreach (var pod in Overlay(overlay).Pods.Select(pod => pod.GetProperty("spec")))
        {
            Assert.False(pod.GetProperty("automountServiceAccountToken").GetBoolean());
            Assert.True(pod.At("securityContext.runAsNonRoot").GetBoolean());
            Assert.Equal("RuntimeDefault", pod.At("securityContext.seccompProfile.type").GetString());
            var container = Assert.Single(pod.GetProperty("containers").EnumerateArray());
            Assert.True(container.At("securityContext.readOnlyRootFilesystem").GetBoolean());
            Assert.False(container.At("securityContext.allowPrivilegeEscalation").GetBoolean());
            Assert.Equal(["ALL"], container.At("securityContext.capabilities.drop").Strings());
            Assert.True(Has(container, "resources.limits.ephemeral-storage") && Has(container, "resources.requests.ephemeral-storage")
                && Has(container, "resources.limits.memory"));
            // What is written goes to volumes that end: the system's temporary folder, where models are downloaded, is one.
            Assert.Contains(
                "/tmp", container.GetProperty("volumeMounts").EnumerateArray().Select(mount => mount.GetProperty("mountPath").GetString()));
            Assert.All(pod.GetProperty("volumes").EnumerateArray().Where(volume => volume.TryGetProperty("emptyDir", out _)),
                volume => Assert.True(Has(volume, "emptyDir.sizeLimit")));
        }
    }

    [Fact]
    public void The_host_may_write_where_the_image_tells_it_to()
    {
        string secrets = Regex.Match(Repository.Read("infra", "functions.Dockerfile"), @"FUNCTIONS_SECRETS_PATH=(\S+)").Groups[1].Value;
        var container = Manifests.Azure.Pod("functions").At("spec.containers")[0];
        Assert.Contains(
            container.GetProperty("volumeMounts").EnumerateArray(), mount =>
            secrets.StartsWith(mount.GetProperty("mountPath").GetString() + "/", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("startupProbe")]
    [InlineData("readinessProbe")]
    [InlineData("livenessProbe")]
    public void The_functions_are_asked_where_the_host_answers_without_a_key(string probe)
    {
        var get = Manifests.Azure.Pod("functions").At("spec.containers")[0].GetProperty(probe).GetProperty("httpGet");
        Assert.Equal(("/", Bicep.Template.Module("functions").Variable("port").GetInt32()),
            (get.GetProperty("path").GetString(), get.GetProperty("port").GetInt32()));
    }

    [Theory]
    [MemberData(nameof(Overlays))]
    public void All_pods_are_one_host_with_keys_in_blobs(string overlay)
    {
        var settings = Overlay(overlay).Environment("functions");
        Assert.Matches("^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$", settings["AzureFunctionsWebHost__hostid"]);
        Assert.Equal("blob", settings["AzureWebJobsSecretStorageType"]);
    }

    [Theory]
    [MemberData(nameof(Overlays))]
    public void Nobody_comes_in_and_nothing_goes_out_but_what_a_policy_names(string overlay)
    {
        var policies = Overlay(overlay).Documents.Where(document => document.GetProperty("kind").GetString() == "NetworkPolicy")
            .ToDictionary(policy => policy.At("metadata.name").GetString()!);
        var all = policies["all-pods"].GetProperty("spec");
        Assert.Equal(["Egress", "Ingress"], all.GetProperty("policyTypes").Strings().Order());
        Assert.Empty(all.GetProperty("podSelector").EnumerateObject());
        Assert.False(all.TryGetProperty("ingress", out _));
        Assert.Equal("functions", policies["functions-over-http"].At("spec.podSelector.matchLabels.app").GetString());
        Assert.Equal(overlay == "azurite", policies.ContainsKey("to-storage"));
    }

    [Fact]
    public void With_Azurite_nothing_of_KEDA_or_Azure_is_needed()
    {
        Assert.DoesNotContain(
            Manifests.Azurite.Documents, document =>
            document.GetProperty("apiVersion").GetString()!.StartsWith("keda.sh", StringComparison.Ordinal));
        Assert.Equal("Forbid", Manifests.Azurite.One("CronJob", "trainer").At("spec.concurrencyPolicy").GetString());
        Assert.Equal("cpu", Manifests.Azurite.Environment("trainer")["ServerlessBert__Trainer__Device"]);
        Assert.Equal(Yaml.Read("compose.yaml").Single().At("services.azurite.image").GetString(),
            Manifests.Azurite.Pod("azurite").At("spec.containers")[0].GetProperty("image").GetString());
    }

    [Fact]
    public void What_is_left_to_fill_in_is_what_the_document_fills_in()
    {
        string text = string.Concat(
            Directory.GetFiles(Repository.PathOf("infra", "kubernetes", "overlays", "azure"), "*.yaml")
            .Where(file => Path.GetFileName(file) != "kustomization.yaml").Select(File.ReadAllText));
        var left = Regex.Matches(text, @"\$\{(\w+)\}").Select(match => match.Groups[1].Value).Distinct();
        var filled = Regex.Matches(Repository.Read("docs", "kubernetes.md"), @"^export (\w+)=", RegexOptions.Multiline)
            .Select(match => match.Groups[1].Value);
        Assert.Equal(left.Order(), filled.Intersect(left).Order());
    }

    private static IEnumerable<JsonElement> Triggers(string kind, string name) =>
        Manifests.Azure.One(kind, name).At("spec.triggers").EnumerateArray();

    private static Manifests Overlay(string name) => name == "azure" ? Manifests.Azure : Manifests.Azurite;

    /// <summary>Reads a document as Kubernetes does, and fails at a field that the type lacks.</summary>
    private static void Read(Type type, JsonElement document)
    {
        var method = typeof(KubernetesYaml).GetMethods()
            .Single(candidate =>
            candidate.Name == nameof(KubernetesYaml.Deserialize) && candidate.GetParameters()[0].ParameterType == typeof(string));
        // JSON is YAML.
        method.MakeGenericMethod(type).Invoke(null, [document.GetRawText(), true]);
    }

    private static bool Has(JsonElement json, string path)
    {
        foreach (string name in path.Split('.'))
            if (json.ValueKind != JsonValueKind.Object || !json.TryGetProperty(name, out json)) return false;
        return true;
    }
}
