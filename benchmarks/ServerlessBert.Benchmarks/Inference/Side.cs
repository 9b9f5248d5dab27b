using System.Diagnostics;
using ServerlessBert.Modeling.Tokenization;

namespace ServerlessBert.Benchmarks.Inference;

/// <summary>One of those that are compared.</summary>
/// <param name="Name">What it is called in tables and figures.</param>
/// <param name="Texts">The reviews it works on.</param>
/// <param name="Run">Classifies all of them.</param>
internal sealed record Side(string Name, IReadOnlyList<EncodedText> Texts, Action Run)
{
    private readonly List<double> _seconds = [];

    /// <summary>The real tokens of a pass, special tokens included.</summary>
    public long Tokens => Texts.Sum(text => (long)text.InputIds.Length);

    /// <summary>The median over the rounds.</summary>
    public double Seconds => _seconds.Order().ElementAt(_seconds.Count / 2);

    /// <summary>Reviews of these lengths a second.</summary>
    public double ReviewsPerSecond => Texts.Count / Seconds;

    /// <summary>Tokens a second.</summary>
    public double TokensPerSecond => Tokens / Seconds;

    /// <summary>Runs every side in turn, over and over, so that a machine that changes its mind changes it for all.</summary>
    public static void Measure(IReadOnlyList<Side> sides, int rounds)
    {
        foreach (Side side in sides) side._seconds.Clear();
        for (int round = 0; round < rounds; round++)
        {
            foreach (Side side in sides)
            {
                GC.Collect();
                long start = Stopwatch.GetTimestamp();
                side.Run();
                side._seconds.Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
            }
        }
    }
}
