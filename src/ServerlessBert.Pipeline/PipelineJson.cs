using System.Text.Json;
using System.Text.Json.Serialization;
using ServerlessBert.Pipeline.Messages;
using ServerlessBert.Pipeline.Models;
using ServerlessBert.Pipeline.Predictions;
using ServerlessBert.Pipeline.Reviews;
using ServerlessBert.Pipeline.Runs;
using ServerlessBert.Pipeline.Training;

namespace ServerlessBert.Pipeline;

/// <summary>Everything the pipeline writes as JSON: camelCase, nulls left out; compiled, for a quick cold start.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, UseStringEnumConverter = true, WriteIndented = false)]
[JsonSerializable(typeof(ReviewFileMessage))]
[JsonSerializable(typeof(ReviewBatchMessage))]
[JsonSerializable(typeof(TrainingRequest))]
[JsonSerializable(typeof(PoisonMessage))]
[JsonSerializable(typeof(ReviewFilePlan))]
[JsonSerializable(typeof(Run))]
[JsonSerializable(typeof(BatchFailure))]
[JsonSerializable(typeof(BatchStatistics))]
[JsonSerializable(typeof(ModelManifest))]
[JsonSerializable(typeof(ModelPointer))]
[JsonSerializable(typeof(TrainingDataList))]
[JsonSerializable(typeof(PipelineState))]
public sealed partial class PipelineJson : JsonSerializerContext;
