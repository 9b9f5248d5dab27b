using System.Buffers;

namespace ServerlessBert.Pipeline.Reviews;

/// <summary>What separates the records of a form, as bytes. Every separator is ASCII, so UTF-8 needs no decoding to find them.</summary>
/// <remarks>
/// The rules, which splitter and reader share by sharing <see cref="RecordScanner"/>:
/// <list type="bullet">
/// <item>JSON Lines end at LF; a CR is JSON's own white space. The other forms end at LF, CR LF or a lone CR.</item>
/// <item>A line of nothing but blanks is no record. So CR LF needs no special case: the LF ends an empty line.</item>
/// <item>In delimited forms a quote opens a quoted field only as the field's first byte; inside, a doubled quote is
/// a quote, and delimiters and line breaks are text. What follows the closing quote up to the next delimiter or
/// line break is literal, as is a quote in the middle of an unquoted field. RFC 4180 where it speaks, and what
/// CsvHelper does where it does not.</item>
/// </list>
/// </remarks>
internal sealed class RecordGrammar
{
    private RecordGrammar(char? delimiter, string lineBreaks, string blanks)
    {
        Delimiter = delimiter;
        LineBreaks = Bytes(lineBreaks);
        FieldEnds = Bytes(lineBreaks + delimiter);
        Blanks = Bytes(blanks);
    }

    /// <summary>What separates fields; null where a record is a line and quotes mean nothing.</summary>
    public char? Delimiter { get; }

    /// <summary>What ends a record outside of quotes.</summary>
    public SearchValues<byte> LineBreaks { get; }

    /// <summary>What ends an unquoted field: a line break or the delimiter.</summary>
    public SearchValues<byte> FieldEnds { get; }

    /// <summary>What a blank line may hold, line breaks included. A tab is no blank where it separates fields.</summary>
    public SearchValues<byte> Blanks { get; }

    /// <summary>The grammar of a form.</summary>
    public static RecordGrammar Of(ReviewFormat format) => format switch
    {
        ReviewFormat.JsonLines => JsonLines,
        ReviewFormat.Csv => Csv,
        ReviewFormat.Tsv => Tsv,
        ReviewFormat.Text => Text,
        _ => throw new ArgumentOutOfRangeException(nameof(format), format, null),
    };

    private static readonly RecordGrammar JsonLines = new(null, "\n", " \t\r\n");
    private static readonly RecordGrammar Csv = new(',', "\r\n", " \t\r\n");
    private static readonly RecordGrammar Tsv = new('\t', "\r\n", " \r\n");
    private static readonly RecordGrammar Text = new(null, "\r\n", " \t\r\n");

    private static SearchValues<byte> Bytes(string ascii) => SearchValues.Create(System.Text.Encoding.ASCII.GetBytes(ascii));
}
