namespace ServerlessBert.Pipeline.Reviews;

/// <summary>A file cut into batches: together they hold every row once, in order.</summary>
/// <param name="Layout">What a batch's reader needs to know of the file's head.</param>
/// <param name="Batches">The batches by index.</param>
/// <param name="Rows">Rows in the whole file.</param>
/// <param name="Bytes">Length of the content in bytes, decompressed.</param>
public sealed record ReviewFilePlan(ReviewLayout Layout, IReadOnlyList<ReviewBatch> Batches, long Rows, long Bytes);
