using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace ServerlessBert.LocalHost.Tests;

public sealed class EscapedConsoleFormatterTests
{
    [Fact]
    public void Control_characters_of_a_blobs_name_reach_the_terminal_as_escapes_and_the_entry_is_one_line()
    {
        var output = new StringWriter();
        var entry = new LogEntry<string>(
            LogLevel.Error, "Runs", default, "reviews/\u001b[2Jx\u202e.csv\nfail: forged", new InvalidOperationException("no\u0007"),
            (state, _) => state);

        new EscapedConsoleFormatter().Write(entry, null, output);

        Assert.Equal(@"fail: Runs: reviews/\u001b[2Jx\u202e.csv\nfail: forged System.InvalidOperationException: no\u0007"
            + Environment.NewLine, output.ToString());
    }
}
