namespace ServerlessBert.Pipeline;

/// <summary>tmp</summary>
public sealed record PipelineState;
