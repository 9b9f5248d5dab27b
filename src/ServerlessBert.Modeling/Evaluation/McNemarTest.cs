namespace ServerlessBert.Modeling.Evaluation;

/// <summary>
/// McNemar's exact test of two classifiers on the same rows: only the rows where one is right and the other wrong say
/// which is better, and if they were equally good each such row would be a fair coin's (McNemar, 1947; the exact form is
/// the sign test).
/// </summary>
/// <param name="Better">Rows where the first alone is right.</param>
/// <param name="Worse">Rows where the second alone is right.</param>
public readonly record struct McNemarTest(int Better, int Worse)
{
    /// <summary>Compares two classifiers' answers with the truth.</summary>
    /// <param name="truth">The true labels.</param>
    /// <param name="first">The first one's answers to the same rows.</param>
    /// <param name="second">The second one's.</param>
    public static McNemarTest Of(IReadOnlyList<int> truth, IReadOnlyList<int> first, IReadOnlyList<int> second)
    {
        int better = 0, worse = 0;
        for (int row = 0; row < truth.Count; row++)
        {
            bool isFirstRight = first[row] == truth[row], isSecondRight = second[row] == truth[row];
            if (isFirstRight && !isSecondRight) better++;
            if (isSecondRight && !isFirstRight) worse++;
        }
        return new McNemarTest(better, worse);
    }

    /// <summary>Two-sided p-value: how likely equally good classifiers differ this much or more, 0 to 1.</summary>
    public double PValue
    {
        get
        {
            int rows = Better + Worse, fewer = Math.Min(Better, Worse);
            // Twice the tail of the binomial distribution, its terms as logarithms: 0.5^n alone is no number from n = 1,075 on.
            double term = -rows * Math.Log(2), tail = 0;
            for (int count = 0; count <= fewer; count++)
            {
                tail += Math.Exp(term);
                term += Math.Log(rows - count) - Math.Log(count + 1);
            }
            return Math.Min(1, 2 * tail);
        }
    }
}
