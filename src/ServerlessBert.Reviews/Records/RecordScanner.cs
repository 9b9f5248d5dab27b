using System.Buffers;
using System.Collections.Concurrent;

namespace ServerlessBert.Reviews.Records;

/// <summary>Where a record lies in the content, without its line break.</summary>
/// <param name="Start">Its first byte.</param>
/// <param name="Length">Its length in bytes.</param>
/// <param name="OpenQuote">Where the quote stands that the content's end left open, or null.</param>
internal readonly record struct RecordRange(long Start, long Length, long? OpenQuote);

/// <summary>Finds the records of a content that comes in pieces of any size, by the rules of <see cref="RecordGrammar"/>.</summary>
/// <param name="grammar">The form's separators.</param>
/// <param name="start">Where in the content the first byte lies that will be given.</param>
internal struct RecordScanner(RecordGrammar grammar, long start)
{
    private State _state = State.Blank;
    private long _position = start;
    private long _quote;

    /// <summary>Where the record under way starts, or would start.</summary>
    public long RecordStart { get; private set; } = start;

    /// <summary>Takes bytes off the front up to the next record's end; false when they hold none, and all are taken.</summary>
    public bool TryRead(ref ReadOnlySpan<byte> bytes, out RecordRange record)
    {
        while (!bytes.IsEmpty)
        {
            switch (_state)
            {
                case State.Blank:
                    SkipBlank(ref bytes);
                    break;
                case State.Quoted:
                    SkipQuoted(ref bytes);
                    break;
                case State.Escaped:
                    Take(ref bytes, 1);
                    _state = State.Quoted;
                    break;
                case State.FieldStart when bytes[0] == ' ' && grammar.HasLeadingSpaces:
                    Take(ref bytes, 1);
                    break;
                case State.FieldStart or State.AfterQuote when bytes[0] == '"':
                    if (_state == State.FieldStart) _quote = _position;
                    Take(ref bytes, 1);
                    _state = State.Quoted;
                    break;
                default:
                    if (TryEndField(ref bytes, out record)) return true;
                    break;
            }
        }
        record = default;
        return false;
    }

    /// <summary>The record that the content's end ends, if one was under way.</summary>
    public readonly bool TryFinish(out RecordRange record)
    {
        record = new RecordRange(RecordStart, _position - RecordStart, _state is State.Quoted or State.Escaped ? _quote : null);
        return _state != State.Blank;
    }

    private void SkipBlank(ref ReadOnlySpan<byte> bytes)
    {
        int blanks = bytes.IndexOfAnyExcept(grammar.Blanks);
        if (blanks < 0) blanks = bytes.Length;
        int lineBreak = bytes[..blanks].LastIndexOfAny(grammar.LineBreaks);
        if (lineBreak >= 0) RecordStart = _position + lineBreak + 1;
        Take(ref bytes, blanks);
        if (bytes.IsEmpty) return;
        // A blank before a quote makes it the second byte of its field, which opens nothing.
        bool isFieldStart = grammar.Delimiter is not null && (_position == RecordStart || grammar.HasLeadingSpaces);
        _state = isFieldStart ? State.FieldStart : State.Unquoted;
    }

    private void SkipQuoted(ref ReadOnlySpan<byte> bytes)
    {
        int end = bytes.IndexOfAny(grammar.QuotedEnds);
        if (end >= 0) _state = bytes[end] == '"' ? State.AfterQuote : State.Escaped;
        Take(ref bytes, end < 0 ? bytes.Length : end + 1);
    }

    private bool TryEndField(ref ReadOnlySpan<byte> bytes, out RecordRange record)
    {
        record = default;
        int end = bytes.IndexOfAny(grammar.FieldEnds);
        if (end < 0)
        {
            Take(ref bytes, bytes.Length);
            _state = State.Unquoted;
            return false;
        }
        bool isDelimiter = bytes[end] == grammar.Delimiter;
        if (!isDelimiter) record = new RecordRange(RecordStart, _position + end - RecordStart, null);
        Take(ref bytes, end + 1);
        _state = isDelimiter ? State.FieldStart : State.Blank;
        if (!isDelimiter) RecordStart = _position;
        return !isDelimiter;
    }

    private void Take(ref ReadOnlySpan<byte> bytes, int count)
    {
        _position += count;
        bytes = bytes[count..];
    }

    private enum State : byte
    {
        Blank,
        FieldStart,
        Unquoted,
        Quoted,
        Escaped,
        AfterQuote,
    }
}

/// <summary>What separates the records of a form, as bytes. Every separator is ASCII, so UTF-8 needs no decoding to find them.</summary>
/// <remarks>
/// The rules, which splitter and reader share by sharing <see cref="RecordScanner"/>:
/// <list type="bullet">
/// <item>JSON Lines end at LF; a CR is JSON's own white space. The other forms end at LF, CR LF or a lone CR.</item>
/// <item>A line of nothing but blanks is no record. So CR LF needs no special case: the LF ends an empty line.</item>
/// <item>In delimited forms a quote opens a quoted field only as the field's first byte; inside, a doubled quote is
/// a quote, and delimiters and line breaks are text. What follows the closing quote up to the next delimiter or
/// line break is literal, as is a quote in the middle of an unquoted field. RFC 4180 where it speaks, and what
/// CsvHelper does where it does not. Where the dialect says so, a backslash in quotes takes the next byte with it, and
/// spaces before a field are no part of it.</item>
/// </list>
/// </remarks>
internal sealed class RecordGrammar
{
    private static readonly RecordGrammar JsonLines = new(null, "\n", " \t\r\n");
    private static readonly RecordGrammar Text = new(null, "\r\n", " \t\r\n");
    private static readonly ConcurrentDictionary<DelimitedDialect, RecordGrammar> Delimited = new();

    private RecordGrammar(DelimitedDialect? dialect, string lineBreaks, string blanks)
    {
        Delimiter = dialect?.Delimiter;
        HasLeadingSpaces = dialect is { HasLeadingSpaces: true };
        LineBreaks = Bytes(lineBreaks);
        FieldEnds = Bytes(lineBreaks + Delimiter);
        QuotedEnds = Bytes(dialect is { HasBackslashEscapes: true } ? "\"\\" : "\"");
        Blanks = Bytes(blanks);
    }

    /// <summary>What separates fields; null where a record is a line and quotes mean nothing.</summary>
    public char? Delimiter { get; }

    /// <summary>Whether spaces at a field's start belong to the delimiter.</summary>
    public bool HasLeadingSpaces { get; }

    /// <summary>What ends a record outside of quotes.</summary>
    public SearchValues<byte> LineBreaks { get; }

    /// <summary>What ends an unquoted field: a line break or the delimiter.</summary>
    public SearchValues<byte> FieldEnds { get; }

    /// <summary>What text in quotes goes up to: a quote, or what escapes one.</summary>
    public SearchValues<byte> QuotedEnds { get; }

    /// <summary>What a blank line may hold, line breaks included. A tab is no blank where it separates fields.</summary>
    public SearchValues<byte> Blanks { get; }

    /// <summary>The grammar of a form, in a delimited one of its dialect.</summary>
    public static RecordGrammar Of(ReviewFormat format, DelimitedDialect? dialect) => format switch
    {
        ReviewFormat.JsonLines => JsonLines,
        ReviewFormat.Text => Text,
        ReviewFormat.Csv or ReviewFormat.Tsv => Of(dialect ?? DelimitedDialect.Of(format)),
        _ => throw new ArgumentOutOfRangeException(nameof(format), format, null),
    };

    /// <summary>The grammar of a delimited dialect.</summary>
    public static RecordGrammar Of(DelimitedDialect dialect) =>
        Delimited.GetOrAdd(dialect, known => new RecordGrammar(known, "\r\n", known.Delimiter == '\t' ? " \r\n" : " \t\r\n"));

    private static SearchValues<byte> Bytes(string ascii) => SearchValues.Create(System.Text.Encoding.ASCII.GetBytes(ascii));
}
