namespace ServerlessBert.Cli.Help;

/// <summary>An example for every verb, by its words.</summary>
internal static class Examples
{
    /// <summary>The examples of each verb; a test parses them all.</summary>
    public static IReadOnlyDictionary<string, string[]> ByVerb { get; } = new Dictionary<string, string[]>
    {
        ["host"] = ["sbert host", "sbert host --port 8080 --no-trainer"],
        ["drop"] = ["sbert drop reviews.csv --wait --out predictions"],
        ["classify"] =
        [
            "sbert classify reviews.csv --model model --out predictions.jsonl",
            "sbert classify may.csv june.csv --model model --out predictions",
            "zcat reviews.jsonl.gz | sbert classify - --model model | head -2",
        ],
        ["predict"] = ["sbert predict --model model \"the food was great\"",
            "echo \"the food was great\" | sbert predict --model model --json"],
        ["tokenize"] = ["sbert tokenize --model model \"the food was great\"", "sbert tokenize --vocab vocab.txt --lowercase < lines.txt"],
        ["pretrain"] = ["sbert pretrain --data reviews.csv --preset mini --out pretrained"],
        ["train"] =
        [
            "sbert train --data reviews.csv --base bert-base-cased --out model",
            "sbert train --data reviews.csv --preset mini --epochs 5 --out model",
            "sbert train --queue --data reviews.csv",
        ],
        ["trainer"] = ["sbert trainer", "sbert trainer --check"],
        ["evaluate"] = ["sbert evaluate --data test.csv --model model --report evaluation.html"],
        ["generate"] = ["sbert generate --rows 1000 --out reviews.csv"],
        ["models list"] = ["sbert models list --json"],
        ["models show"] = ["sbert models show 20261122T101500Z-3fa9c1"],
        ["models publish"] = ["sbert models publish model --promote"],
        ["models promote"] = ["sbert models promote 20261122T101500Z-3fa9c1"],
        ["models rollback"] = ["sbert models rollback"],
        ["models shadow"] = ["sbert models shadow 20261122T101500Z-3fa9c1 --share 0.1", "sbert models shadow --off"],
        ["models prune"] = ["sbert models prune --keep 5 --dry-run"],
        ["models retire"] = ["sbert models retire --keep 5 --dry-run"],
        ["models pull"] = ["sbert models pull google-bert/bert-base-cased --out bert-base-cased"],
        ["models import"] = ["sbert models import model.onnx --out model"],
        ["models export"] = ["sbert models export model --onnx --out model-onnx"],
        ["models verify"] = ["sbert models verify 20261122T101500Z-3fa9c1"],
        ["queues list"] = ["sbert queues list"],
        ["queues peek"] = ["sbert queues peek review-batches-poison"],
        ["queues replay"] = ["sbert queues replay review-batches-poison"],
        ["status"] = ["sbert status --json"],
        ["completion"] = ["source <(sbert completion bash)", "sbert completion pwsh | Out-String | Invoke-Expression"],
    };

    /// <summary>The examples of a verb; none for one that only groups others.</summary>
    public static IReadOnlyList<string> Of(string verb) => ByVerb.GetValueOrDefault(verb, []);
}
