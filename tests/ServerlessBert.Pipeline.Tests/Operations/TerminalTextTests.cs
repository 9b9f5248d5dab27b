using CsCheck;
using ServerlessBert.Pipeline.Operations;

namespace ServerlessBert.Pipeline.Tests.Operations;

public sealed class TerminalTextTests
{
    [Theory]
    [InlineData("good food, 5★ 👩‍🍳", "good food, 5★ 👩‍🍳")]
    [InlineData("\u001b[31mred\u001b[0m", @"\u001b[31mred\u001b[0m")]
    [InlineData("a\r\nb\tc", @"a\r\nb\tc")]
    [InlineData("\u009b2J \u202egpj.exe\u2028", @"\u009b2J \u202egpj.exe\u2028")]
    [InlineData(null, "")]
    public void What_a_terminal_would_obey_is_shown_as_an_escape(string? text, string shown) =>
        Assert.Equal(shown, TerminalText.Escape(text));

    [Fact]
    public void No_text_leaves_a_control_character_and_harmless_text_stays() => Gen.String.Sample(text =>
    {
        string shown = TerminalText.Escape(text);
        Assert.DoesNotContain(shown, char.IsControl);
        Assert.Equal(shown, TerminalText.Escape(shown));
    });
}
