using System.Text;
using Microsoft.ML.Tokenizers;

namespace ServerlessBert.Modeling;

/// <summary>
/// Hugging Face's <c>BertPreTokenizer</c> as a pre-tokenizer of Microsoft.ML.Tokenizers: words end at white space, and each
/// punctuation character is a word of its own.
/// </summary>
internal sealed class BertPreTokenizer : PreTokenizer
{
    /// <inheritdoc/>
    /// <remarks>Lazy: words are found as they are asked for.</remarks>
    public override IEnumerable<(int Offset, int Length)> PreTokenize(string text)
    {
        int start = 0;
        for (int index = 0; index < text.Length;)
        {
            _ = Rune.DecodeFromUtf16(text.AsSpan(index), out Rune rune, out int length);
            bool isPunctuation = BertCharacters.IsPunctuation(rune);
            if (isPunctuation || BertCharacters.IsWhiteSpace(rune))
            {
                if (index > start) yield return (start, index - start);
                if (isPunctuation) yield return (index, length);
                start = index + length;
            }
            index += length;
        }
        if (text.Length > start) yield return (start, text.Length - start);
    }

    /// <inheritdoc/>
    public override IEnumerable<(int Offset, int Length)> PreTokenize(ReadOnlySpan<char> text) => PreTokenize(text.ToString());
}
