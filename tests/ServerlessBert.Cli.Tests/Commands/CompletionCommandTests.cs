using System.Diagnostics;

namespace ServerlessBert.Cli.Tests.Commands;

public sealed class CompletionCommandTests
{
    [Theory]
    [InlineData("sbert tr", "train trainer")]
    [InlineData("sbert models p", "promote publish pull")]
    [InlineData("sbert classify x.csv --dt", "--dtype")]
    [InlineData("sbert completion ", "bash fish pwsh zsh")]
    public async Task Bash_completes_verbs_and_options(string typed, string expected)
    {
        using var folder = new TemporaryFolder();
        string script = (await SbertProcess.RunAsync(["completion", "bash"])).Output;
        string file = folder.File("test.sh", $$"""
            sbert() { dotnet "{{Path.Combine(AppContext.BaseDirectory, "sbert.dll")}}" "$@"; }
            {{script}}
            COMP_LINE='{{typed}}'; COMP_POINT=${#COMP_LINE}; read -ra COMP_WORDS <<< "$COMP_LINE"
            [[ "$COMP_LINE" == *' ' ]] && COMP_WORDS+=("")
            COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
            _sbert
            printf '%s\n' "${COMPREPLY[@]}" | sort | tr '\n' ' '
            """);

        using Process bash = Process.Start(new ProcessStartInfo("bash", [file]) { RedirectStandardOutput = true })!;
        string output = await bash.StandardOutput.ReadToEndAsync();

        Assert.Superset(expected.Split(' ').ToHashSet(), output.Split(' ', StringSplitOptions.RemoveEmptyEntries).ToHashSet());
    }

    [Theory]
    [InlineData("zsh", "compdef _sbert sbert")]
    [InlineData("fish", "complete -c sbert")]
    [InlineData("pwsh", "Register-ArgumentCompleter")]
    public async Task Every_other_shell_gets_its_own_script(string shell, string line) =>
        Assert.Contains(line, (await SbertProcess.RunAsync(["completion", shell])).Output, StringComparison.Ordinal);
}
