namespace ServerlessBert.Pipeline.Models;

/// <summary>What a published version is at present.</summary>
public enum ModelRole
{
    /// <summary>Published, no more.</summary>
    None,

    /// <summary>It answers.</summary>
    Live,

    /// <summary>It was live before; a rollback returns to it.</summary>
    Previous,

    /// <summary>It runs beside the live one on a share of the batches, and its stars are only compared.</summary>
    Shadow,

    /// <summary>It is given up; its files are being deleted.</summary>
    Retired,
}
