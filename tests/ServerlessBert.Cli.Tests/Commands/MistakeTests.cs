using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using ServerlessBert.Modeling;

namespace ServerlessBert.Cli.Tests.Commands;

/// <summary>
/// Mistakes, as people make them: each ends with its exit code and one sentence that says what is wrong, where, and what to do; with
/// nothing on standard output, no stack trace, and within two seconds.
/// </summary>
[Collection(MistakesCollection.Name)]
public sealed class MistakeTests(MistakeFiles files) : IClassFixture<MistakeFiles>
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(2);

    // Exit code, command line, what the sentence says. Names of MistakeFiles stand for their paths.
    public static TheoryData<int, string, string> Mistakes => new()
    {
        // Verbs and options that do not exist.
        { 2, "", "sbert needs one of its verbs: host, drop, classify" },
        { 2, "clasify REVIEWS", "'clasify' is not a verb of sbert; did you mean classify?" },
        { 2, "tarin", "did you mean train?" },
        { 2, "frobnicate", "'frobnicate' is not a verb of sbert; its verbs are host, drop" },
        { 2, "models", "sbert models needs one of its verbs: list, show, publish" },
        { 2, "models lst", "'lst' is not a verb of sbert models; did you mean list?" },
        { 2, "queues", "sbert queues needs one of its verbs: list, peek, replay" },
        { 2, "status now", "'now' is one word too many for sbert status" },
        { 2, "predict --model MODEL --Json a", "--Json is not an option of sbert predict; did you mean --json?" },
        { 2, "predict --model MODEL --jsno good", "did you mean --json?" },
        { 2, "predict --model MODEL -j good", "-j is not an option of sbert predict" },
        { 2, "predict --modle MODEL good", "did you mean --model?" },
        { 2, "classify REVIEWS --model MODEL --output x", "--output is not an option of sbert classify; did you mean --out?" },
        { 2, "train --data REVIEWS --epoch 3 --out OUT", "did you mean --epochs?" },
        { 2, "drop REVIEWS --wiat", "did you mean --wait?" },
        { 2, "tokenize --vocab VOCAB --lowrcase text", "did you mean --lowercase?" },
        { 2, "models list --jsn", "did you mean --json?" },
        { 2, "completion csh", "it must be bash, zsh, fish or pwsh" },
        { 2, "completion", "sbert completion needs SHELL" },

        // Values that are not what the option takes.
        { 2, "classify REVIEWS --model MODEL --threads abc", "--threads is 'abc'; it must be a whole number" },
        { 2, "classify REVIEWS --model MODEL --threads 0", "--threads is 0; it must be a whole number from 1" },
        { 2, "classify REVIEWS --model MODEL --max-length abc", "--max-length is 'abc'" },
        { 2, "classify REVIEWS --model MODEL --max-length 1", "--max-length is 1" },
        { 2, "classify REVIEWS --model MODEL --dtype float7", "--dtype is 'float7'; it must be auto, float32, bfloat16 or int8" },
        { 2, "classify REVIEWS --model MODEL --threads", "--threads needs a value" },
        { 2, "classify REVIEWS --model", "--model needs a value" },
        { 2, "classify REVIEWS --model MODEL --model MODEL", "--model is given 2 times" },
        { 2, "predict --model MODEL --max-length 2.5 good", "--max-length is '2.5'" },
        { 2, "host --port abc", "--port is 'abc'; it must be a whole number from 0 to 65,535" },
        { 2, "host --port 99999", "--port is 99999" },
        { 2, "host --port -1", "--port is -1" },
        { 2, "generate --rows 99999999999 --out OUT.jsonl", "--rows is '99999999999'" },
        { 2, "generate --rows 0 --out OUT.jsonl", "--rows is 0" },
        { 2, "generate --rows ten --out OUT.jsonl", "--rows is 'ten'" },
        { 2, "generate --seed x --out OUT.jsonl", "--seed is 'x'" },
        { 2, "drop REVIEWS --wait --show -3", "--show is -3" },
        { 2, "tokenize --vocab VOCAB --max-length 1 text", "--max-length is 1" },
        { 2, "models shadow v1 --share 2", "--share is 2" },
        { 2, "models shadow v1 --share half", "--share is 'half'" },
        { 2, "models retire --keep -1", "--keep is -1" },
        { 2, "queues peek no-such-queue", "no-such-queue" },
        { 2, "models publish MODEL --dtype float16", "--dtype is 'float16'" },

        // Words that are missing, or contradict each other.
        { 2, "classify --model MODEL", "sbert classify needs FILE" },
        { 2, "classify REVIEWS", "--model is missing" },
        { 2, "predict good", "--model is missing" },
        { 2, "drop", "sbert drop needs FILES" },
        { 2, "evaluate --model MODEL", "--data is missing" },
        { 2, "generate", "--out is missing" },
        { 2, "tokenize text", "Give either --model DIR or --vocab FILE" },
        { 2, "tokenize --model MODEL --vocab VOCAB text", "--vocab cannot be combined with --model" },
        { 2, "tokenize --model MODEL --lowercase text", "--lowercase has no effect without --vocab" },
        { 2, "drop REVIEWS --out OUT", "--out has no effect without --wait" },
        { 2, "models show", "sbert models show needs VERSION" },
        { 2, "models shadow", "Name a version, or say --off." },
        { 2, "host --no-azurite --azurite-folder FOLDER", "--azurite-folder cannot be combined with --no-azurite" },
        { 2, "classify REVIEWS --model MODEL --input-format csv", "--input-format has no effect without -" },
        { 2, "classify - - --model MODEL", "- is given twice" },
        { 2, "predict --model MODEL", "There is no text to rate" },

        // Files and folders.
        { 2, "classify no-such.csv --model MODEL", "File not found: no-such.csv" },
        { 2, "classify FOLDER --model MODEL", "is a folder; give a file" },
        { 1, "classify DOCUMENT --model MODEL", "x.docx" },
        { 2, "classify REVIEWS --model no-such-folder", "Folder not found: no-such-folder; --model names a checkpoint folder" },
        { 2, "classify REVIEWS --model REVIEWS", "is a file; --model names a checkpoint folder" },
        { 2, "classify REVIEWS --model MODEL --out FOLDER", "is a folder; give a file in it" },
        { 2, "classify REVIEWS --model MODEL --out REVIEWS", "is the file that is read" },
        { 2, "classify REVIEWS --model MODEL --out LINK", "is the file that is read" },
        { 2, "classify REVIEWS SAME --model MODEL --out OUT", "Two files are called reviews.csv" },
        { 2, "classify REVIEWS RATED --model MODEL --out EMPTY", "is a file; the predictions of several files go into a folder" },
        { 1, "classify REVIEWS --model MODEL --out BELOWFILE", "cannot be written" },
        { 1, "classify REVIEWS --model MODEL --out /dev/full", "--out /dev/full cannot be written: No space left on device" },
        { 1, "classify REVIEWS --model FOLDER", "config.json" },
        { 1, "classify NOTEXT --model MODEL", "no-text.csv" },
        { 1, "classify TORN --model MODEL", "torn.csv.gz" },
        { 2, "predict --model no-such-folder good", "Folder not found: no-such-folder" },
        { 2, "evaluate --data no-such.csv --model MODEL", "File not found: no-such.csv" },
        { 2, "evaluate --data FOLDER --model MODEL", "is a folder; give a file" },
        { 2, "evaluate --data RATED --model MODEL --report FOLDER", "--report" },
        { 2, "evaluate --data REVIEWS --model MODEL", "No row of reviews.csv has a rating to measure against" },
        { 2, "generate --out FOLDER.csv", "is a folder; give a file in it" },
        { 2, "generate --out OUT.docx", "give a name that ends in .jsonl, .csv or .tsv" },
        { 1, "generate --out BELOWFILE.csv", "cannot be written" },
        { 2, "tokenize --vocab no-such.txt text", "File not found: no-such.txt" },
        { 2, "tokenize --vocab FOLDER text", "is a folder; give a file" },
        { 2, "tokenize --model VOCAB text", "is a file; --model names a checkpoint folder" },
        { 2, "drop no-such.csv", "File not found: no-such.csv" },
        { 2, "drop FOLDER", "is a folder; give a file" },
        { 2, "drop DOCUMENT", "x.docx" },
        { 2, "drop REVIEWS SAME", "are both called reviews.csv" },
        { 2, "drop REVIEWS --wait --out RATED", "is a file; predictions and summaries go into a folder" },
        { 2, "models publish no-such-folder", "Folder not found: no-such-folder" },
        { 2, "models publish REVIEWS", "is a file" },
        { 1, "models publish FOLDER", "vocab.txt" },
        { 2, "models pull google-bert/bert-base-cased --out REVIEWS", "is a file; give a folder" },
        { 2, "models pull google-bert/bert-base-cased --revision ..", "is not a branch, tag or commit" },
    };

    // Settings of storage, and what is said of them whichever verb it is.
    public static TheoryData<string, string> Settings => new()
    {
        { "rubbish", "AzureWebJobsStorage is not a storage connection string" },
        { "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=aGVsbG8=;BlobEndpoint=http://127.0.0.1:CLOSED/a;QueueEndpoint=http://127.0.0.1:CLOSED/a", "Storage does not answer at 127.0.0.1:" },
        { "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=aGVsbG8=;BlobEndpoint=https://no-such-account.invalid;QueueEndpoint=https://no-such-account.invalid", "no-such-account.invalid does not resolve" },
    };

    [Theory]
    [MemberData(nameof(Mistakes))]
    public async Task A_mistake_is_told_in_one_sentence(int exitCode, string line, string sentence)
    {
        string[] words = [.. line.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(files.PathOf)];

        await AssertToldAsync(words, exitCode, sentence);
    }

    [Theory]
    [MemberData(nameof(Settings))]
    public async Task Storage_that_cannot_be_used_is_told_at_once_by_every_verb(string connection, string sentence)
    {
        string[][] verbs =
            [["status"], ["queues", "list"], ["queues", "replay", "review-batches"], ["models", "list"], ["models", "rollback"],
            ["drop", files.PathOf("REVIEWS")]];
        string? before = Environment.GetEnvironmentVariable("AzureWebJobsStorage");
        Environment.SetEnvironmentVariable(
            "AzureWebJobsStorage", connection.Replace("CLOSED", $"{ClosedPort()}", StringComparison.Ordinal));
        try
        {
            foreach (string[] verb in verbs) await AssertToldAsync(verb, 1, sentence);
        }
        finally
        {
            Environment.SetEnvironmentVariable("AzureWebJobsStorage", before);
        }
    }

    private static async Task AssertToldAsync(string[] words, int exitCode, string sentence)
    {
        (int code, string output, string errors, TimeSpan took) = await RunAsync(words);

        Assert.True(exitCode == code, $"ends with {code}: {errors}");
        Assert.Empty(output);
        string told = Assert.Single(
            errors.Split('\n', StringSplitOptions.RemoveEmptyEntries), each => !each.StartsWith("Try: sbert", StringComparison.Ordinal));
        Assert.StartsWith("sbert: ", told, StringComparison.Ordinal);
        Assert.Contains(sentence, told, StringComparison.Ordinal);
        Assert.DoesNotContain("defect", told, StringComparison.Ordinal);
        Assert.True(took < Longest, $"took {took.TotalSeconds:0.0} s");
    }

    /// <summary>In this process, as a hundred of them would take minutes.</summary>
    private static async Task<(int ExitCode, string Output, string Errors, TimeSpan Took)> RunAsync(string[] words)
    {
        (TextWriter output, TextWriter errors, TextReader input) = (Console.Out, Console.Error, Console.In);
        using StringWriter said = new(), told = new();
        Console.SetOut(said);
        Console.SetError(told);
        Console.SetIn(new StringReader(""));
        try
        {
            long start = Stopwatch.GetTimestamp();
            int code = await CommandLine.RunAsync(words);
            return (code, said.ToString(), told.ToString(), Stopwatch.GetElapsedTime(start));
        }
        finally
        {
            Console.SetOut(output);
            Console.SetError(errors);
            Console.SetIn(input);
        }
    }

    private static int ClosedPort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}

/// <summary>They write to the console of this process, one after the other.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class MistakesCollection
{
    public const string Name = "Mistakes";
}

/// <summary>The files that mistakes are made with, by the names that stand for their paths.</summary>
public sealed class MistakeFiles : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly Dictionary<string, string> paths;

    public MistakeFiles()
    {
        Assert.True(LibTorch.TryLoad(out string? reason), reason);
        Directory.CreateDirectory(folder.At("folder"));
        Directory.CreateDirectory(folder.At("folder.csv"));
        Directory.CreateDirectory(folder.At("other"));
        File.CreateSymbolicLink(folder.At("link.jsonl"), folder.At("reviews.csv"));
        File.WriteAllBytes(folder.At("torn.csv.gz"), [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1, 2]);
        paths = new()
        {
            ["REVIEWS"] = folder.File("reviews.csv", "text\ngood food\n"),
            ["SAME"] = folder.File("other/reviews.csv", "text\nbad food\n"),
            ["RATED"] = folder.File("rated.csv", "stars,text\n5,good food\n1,bad food\n"),
            ["NOTEXT"] = folder.File("no-text.csv", "stars,colour\n5,blue\n"),
            ["DOCUMENT"] = folder.File("x.docx", "text\n"),
            ["VOCAB"] = folder.File("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\ngood\n"),
            ["EMPTY"] = folder.File("empty", ""),
            ["TORN"] = folder.At("torn.csv.gz"),
            ["LINK"] = folder.At("link.jsonl"),
            ["FOLDER"] = folder.At("folder"),
            ["FOLDER.csv"] = folder.At("folder.csv"),
            ["MODEL"] = Testing.SmallModels.Save(folder.Path),
            ["OUT"] = folder.At("out"),
            ["OUT.jsonl"] = folder.At("out.jsonl"),
            ["OUT.docx"] = folder.At("out.docx"),
            ["BELOWFILE"] = folder.At("empty/p.jsonl"),
            ["BELOWFILE.csv"] = folder.At("empty/p.csv"),
        };
    }

    /// <summary>The path that a word stands for, or the word.</summary>
    public string PathOf(string word) => paths.GetValueOrDefault(word, word);

    public void Dispose() => folder.Dispose();
}
