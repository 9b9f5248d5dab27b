namespace ServerlessBert.Pipeline.Drift;

/// <summary>When a file's predictions count as drifted; configuration section <c>ServerlessBert:Drift</c>.</summary>
public sealed record DriftOptions
{
    /// <summary>The configuration section's name.</summary>
    public const string Section = "ServerlessBert:Drift";

    /// <summary>Least predicted rows of a file, and of the baseline, to compare: fewer say little of a mix of five ratings.</summary>
    public int MinRows { get; init; } = 200;

    /// <summary>
    /// Flags the star mix above this population stability index. The usual reading is that under 0.1 nothing changed and
    /// that from 0.25 on something did; 0.2 stands between (Yurdakul and Naranjo 2020, Journal of Risk Model Validation).
    /// </summary>
    public double StarsIndex { get; init; } = 0.2;

    /// <summary>
    /// Flags the mean confidence when it is this far from the baseline's. The difference of confidences estimates the
    /// difference of accuracies (Guillory et al. 2021, arXiv:2107.03315), so this is about five points of accuracy.
    /// </summary>
    public double Confidence { get; init; } = 0.05;

    /// <summary>Flags the share of unknown tokens when it is this far above the baseline's: a word in fifty that the vocabulary does not have is another language or domain.</summary>
    public double UnknownShare { get; init; } = 0.02;

    /// <summary>Whether drift asks for a training, once for each live model. Off: without new labelled rows a training learns nothing of what is new.</summary>
    public bool RequestTraining { get; init; }
}
