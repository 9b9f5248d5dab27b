namespace ServerlessBert.Modeling;

/// <summary>From token ids to logits: the plain module tree, or the packed layers that are equal to it.</summary>
internal interface IForward : IDisposable
{
    /// <summary>Cuts reviews into passes that suit this forward.</summary>
    /// <param name="lengths">Tokens of each review.</param>
    /// <param name="tokenBudget">Tokens of one pass, about.</param>
    IEnumerable<int[]> Passes(IReadOnlyList<int> lengths, int tokenBudget);

    /// <summary>Logits, [rows][labels].</summary>
    /// <param name="rows">Token ids of each review, special tokens included.</param>
    float[][] Logits(IReadOnlyList<int[]> rows);
}
