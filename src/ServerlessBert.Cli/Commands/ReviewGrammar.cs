using System.Globalization;

namespace ServerlessBert.Cli.Commands;

/// <summary>
/// Writes labelled reviews by a seeded grammar, for a demonstration without anyone's data. Words alone do not tell the
/// rating: feelings are negated ("not exactly great"), taken back ("I expected it to be awful, but it was superb"),
/// and weighed (what follows "but" counts twice), and each sentence may speak of another thing.
/// </summary>
/// <param name="seed">The same seed writes the same reviews.</param>
internal sealed class ReviewGrammar(int seed)
{
    private const int But = 2; // what follows "but" counts this many times

    private static readonly string[] Aspects =
    [
        "food", "service", "pizza", "coffee", "staff", "room", "view", "music", "bread", "soup", "dessert", "parking",
        "waiter", "menu", "salad", "breakfast", "beer", "atmosphere", "price", "portion", "burger", "sushi", "pasta", "tea",
    ];

    // Adjectives by feeling, -2 to 2.
    private static readonly string[][] Adjectives =
    [
        ["awful", "terrible", "disgusting", "horrible", "dreadful", "a disaster", "inedible", "insulting"],
        ["bland", "slow", "disappointing", "mediocre", "cold", "overpriced", "careless", "stale"],
        ["average", "okay", "ordinary", "nothing special", "acceptable", "standard", "so-so", "as expected"],
        ["good", "nice", "pleasant", "tasty", "friendly", "solid", "fresh", "enjoyable"],
        ["superb", "amazing", "fantastic", "outstanding", "perfect", "wonderful", "exceptional", "unforgettable"],
    ];

    private static readonly string[][] Closings =
    [
        ["Never again!", "Stay away.", "I want my money back.", "Worst evening of the year."],
        ["I doubt we will return.", "There are better places.", "Not worth the drive.", "Would not rush back."],
        ["It does the job.", "Neither here nor there.", "Fine if you are around.", "No strong feelings."],
        ["We will be back.", "Worth a visit.", "A good choice.", "Happy with it."],
        ["Go now, you will love it!", "Best place in town!", "I cannot wait to return!", "Five stars are not enough!"],
    ];

    private static readonly string[] Openings =
        ["Came here on a {0}.", "My {1} took me here.", "First time on a {0}.", "We were a party of {2}.", "Stopped by with my {1}.", ""];

    private static readonly string[] Days = ["Monday", "Tuesday", "rainy Sunday", "Friday night", "holiday", "busy Saturday"];
    private static readonly string[] Companions = ["sister", "boss", "neighbour", "husband", "wife", "friend", "mother"];
    private static readonly string[] Counts = ["two", "three", "four", "six", "eight", "ten"];

    private readonly Random random = new(seed);

    /// <summary>The next review and its rating, 1 to 5.</summary>
    public (string Text, int Stars) Next()
    {
        int mood = random.Next(-2, 3);
        var sentences = new List<string> { Opening() };
        double sum = 0, weight = 0;
        for (int left = random.Next(2, 5); left > 0; left--)
        {
            (string sentence, double feeling, int count) = Sentence(Math.Clamp(mood + random.Next(-1, 2), -2, 2));
            sentences.Add(sentence);
            sum += feeling * count;
            weight += count;
        }
        if (random.Next(3) == 0)
        {
            sentences.Add(Pick(Closings[mood + 2]));
            sum += mood;
            weight++;
        }
        int stars = 3 + (int)Math.Clamp(Math.Round(sum / weight, MidpointRounding.AwayFromZero), -2, 2);
        return (string.Join(' ', sentences.Where(sentence => sentence.Length > 0)), stars);
    }

    private (string Text, double Feeling, int Count) Sentence(int feeling)
    {
        string aspect = Pick(Aspects);
        int other = random.Next(-2, 3);
        return random.Next(6) switch
        {
            0 => ($"I expected the {aspect} to be {Adjective(other)}, but it was {Adjective(feeling)}.", feeling, 1),
            1 => ($"The {aspect} was {Adjective(other)}, but the {Pick(Aspects)} was {Adjective(feeling)}.",
                (other + But * (double)feeling) / (1 + But), 1 + But),
            2 when feeling == 1 =>
                ($"The {aspect} was {Pick(["not bad at all", "far from terrible", "never disappointing", "anything but bland"])}.", 1, 1),
            2 when feeling == -1 =>
                ($"The {aspect} was {Pick(["not exactly great", "far from perfect", "not good", "hardly amazing"])}.", -1, 1),
            3 => ($"The {aspect} was {Adjective(feeling)} and the {Pick(Aspects)} was {Adjective(feeling)} too.", feeling, 2),
            4 => ($"{Pick(["Honestly", "I must say", "To be fair", "As always"])}, the {aspect} was {Adjective(feeling)}.", feeling, 1),
            _ => ($"{Pick(["The", "Their", "That"])} {aspect} {Pick(["was", "turned out", "proved to be"])} {Adjective(feeling)}.",
                feeling, 1),
        };
    }

    private string Opening() => string.Format(CultureInfo.InvariantCulture, Pick(Openings), Pick(Days), Pick(Companions), Pick(Counts));

    private string Adjective(int feeling) => Pick(Adjectives[feeling + 2]);

    private string Pick(string[] words) => words[random.Next(words.Length)];
}
