using System.Text;
using System.Text.Json;
using CsCheck;
using ServerlessBert.Modeling.Inference;
using ServerlessBert.Pipeline.Predictions;
using ServerlessBert.Reviews;

namespace ServerlessBert.Pipeline.Tests.Predictions;

public sealed class BatchStatisticsTests
{
    private static readonly Gen<(Review, Classification?)> AnyRow = Gen.Select(Gen.Int[0, 3], Gen.Int[1, 5], Gen.Int[0, 5],
        Gen.Float[0.4f, 1f]).Select((kind, said, known, confidence) =>
        kind == 0
            ? (new Review { Row = 0, Error = new RowError(said > 2 ? "missing_text" : "invalid_json", "No.") }, null)
            : (new Review
            {
                Row = 0,
                Text = "x",
                Stars = known == 0 ? null : known,
                InvalidUtf8 = kind,
                LabelError = kind == 1
                ? new RowError("invalid_stars", "No.") : null
            }, (Classification?)Saying(said, confidence)));

    private static readonly Gen<BatchStatistics> AnyStatistics = Gen.Select(AnyRow.List[0, 6], Gen.Bool, Gen.Double[0, 20])
        .Select((rows, isNew, seconds) =>
        BatchStatistics.Compute([.. rows.Select(row => row.Item1)], [.. rows.Select(row => row.Item2)], isNew ? "v2" : "v1", seconds));

    [Fact]
    public void A_batch_is_counted()
    {
        Review[] reviews =
        [
            new() { Row = 0, Text = "a", Stars = 5, InvalidUtf8 = 2 },
            new() { Row = 1, Text = "b", Stars = 2 },
            new() { Row = 2, Text = "c", LabelError = new RowError("invalid_stars", "No.") },
            new() { Row = 3, Stars = 1, Error = new RowError("missing_text", "No.") },
        ];
        BatchStatistics statistics = BatchStatistics.Compute(reviews, [Saying(5, 0.9f), Saying(4, 0.71234f), Saying(5, 0.5f), null], "v1",
            1.23456, "bfloat16");

        Assert.Equal(
            """{"rows":4,"predictions":3,"errors":{"missing_text":1},"stars":{"4":1,"5":2},"models":{"v1":3},"dtypes":{"bfloat16":3},"tokens":21,"unknownTokens":3,"truncated":3,"invalidUtf8":2,"invalidLabels":1,"labelled":2,"correct":1,"absoluteErrorSum":2,"confidenceSum":2.1123,"seconds":1.235}""",
            JsonSerializer.Serialize(statistics, JsonSerializerOptions.Web));
    }

    [Fact]
    public void Adding_is_associative_and_commutative_and_empty_adds_nothing() =>
        Gen.Select(AnyStatistics, AnyStatistics, AnyStatistics).Sample((a, b, c) =>
        {
            Assert.Equal(Shown(a + b + c), Shown(a + (b + c)));
            Assert.Equal(Shown(a + b), Shown(b + a));
            Assert.Equal(Shown(a), Shown(a + BatchStatistics.Empty));
            Assert.Equal(Shown(a), Shown(JsonSerializer.Deserialize<BatchStatistics>(Shown(a), RunSummary.Json)!));
            Assert.Equal((a + b).Rows, (a + b).Predictions + (a + b).Errors.Values.Sum());
        });

    [Fact]
    public void Adding_batches_counts_what_the_file_as_one_batch_counts() =>
        AnyRow.List[0, 12].Sample(rows =>
        {
            IEnumerable<BatchStatistics> singles = rows.Select(row => BatchStatistics.Compute([row.Item1], [row.Item2], "v1", 0.001));
            BatchStatistics whole = BatchStatistics.Compute([.. rows.Select(row => row.Item1)], [.. rows.Select(row => row.Item2)], "v1",
                0.001 * rows.Count);
            Assert.Equal(Shown(whole), Shown(singles.Aggregate(BatchStatistics.Empty, (sum, one) => sum + one)));
        });

    [Fact]
    public void Lists_of_different_lengths_are_a_bug() =>
        Assert.Throws<ArgumentException>(() => BatchStatistics.Compute([new Review { Row = 0, Text = "a" }], [], "v1", 0));

    [Fact]
    public void A_summary_says_what_was_read_by_which_model_and_how_well()
    {
        Review[] reviews = [new() { Row = 0, Text = "a", Stars = 5 }, new() { Row = 1, Text = "b", Stars = 2 },
            new() { Row = 2, Text = "c", Stars = 4 }];
        RunSummary summary = RunSummary.Create("reviews/é.csv", RunOutcome.Done,
            BatchStatistics.Compute(reviews, [Saying(5, 1f), Saying(4, 1f), Saying(4, 0.5f)], "v1", 2, "float32")) with
        {
            ETag = "0x1",
            Run = "r1",
            Model = "v1",
            Started = DateTimeOffset.UnixEpoch,
            Finished = DateTimeOffset.UnixEpoch.AddSeconds(3),
        };
        Assert.Equal(
            """
            {
              "input": "reviews/é.csv",
              "etag": "0x1",
              "run": "r1",
              "state": "done",
              "model": "v1",
              "rows": 3,
              "predictions": 3,
              "errors": {},
              "stars": {
                "4": 2,
                "5": 1
              },
              "models": {
                "v1": 3
              },
              "dtypes": {
                "float32": 3
              },
              "tokens": 21,
              "unknownTokens": 3,
              "truncated": 3,
              "invalidUtf8": 0,
              "invalidLabels": 0,
              "meanConfidence": 0.8333,
              "labelled": 3,
              "accuracy": 0.6667,
              "meanAbsoluteError": 0.6667,
              "seconds": 2,
              "started": "1970-01-01T00:00:00+00:00",
              "finished": "1970-01-01T00:00:03+00:00"
            }

            """,
            Encoding.UTF8.GetString(summary.ToJson()), ignoreLineEndingDifferences: true);
        Assert.Equal(summary.ToJson(), JsonSerializer.Deserialize<RunSummary>(summary.ToJson(), RunSummary.Json)!.ToJson());
    }

    [Fact]
    public void A_summary_of_a_failed_run_says_why_and_has_no_accuracy()
    {
        RunSummary summary = RunSummary.Create("a.csv", RunOutcome.Failed,
            BatchStatistics.Empty) with
        { Reason = new RowError("no_text_column", "The file has none.") };
        using JsonDocument json = JsonDocument.Parse(summary.ToJson());
        Assert.Equal("failed", json.RootElement.GetProperty("state").GetString());
        Assert.Equal("no_text_column", json.RootElement.GetProperty("reason").GetProperty("code").GetString());
        Assert.False(json.RootElement.TryGetProperty("accuracy", out _));
    }

    private static string Shown(BatchStatistics statistics) => JsonSerializer.Serialize(statistics, RunSummary.Json);

    private static Classification Saying(int stars, float confidence)
    {
        float[] probabilities = new float[5];
        Array.Fill(probabilities, (1 - confidence) / 4);
        probabilities[stars - 1] = confidence;
        return new Classification(probabilities, Tokens: 7, UnknownTokens: 1, IsTruncated: true);
    }
}
