namespace ServerlessBert.Modeling;

/// <summary>config.json of a BERT checkpoint, under Hugging Face's names.</summary>
public sealed record BertConfig
{
    /// <summary>The presets' shapes: tiny, mini, small and base of Turc et al. (2019), arXiv:1908.08962.</summary>
    public static BertConfig Preset(string name, int vocabularySize) => throw new NotImplementedException();
}
