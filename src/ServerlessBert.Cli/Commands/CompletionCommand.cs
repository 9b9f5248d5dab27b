using System.CommandLine;
using ServerlessBert.Cli.Options;
using ServerlessBert.Cli.Output;
using ServerlessBert.Modeling.Options;

namespace ServerlessBert.Cli.Commands;

/// <summary>
/// <c>sbert completion SHELL</c>: a script that lets a shell complete sbert's verbs, options and their words. It asks sbert itself, by
/// System.CommandLine's directive <c>[suggest]</c>, and so is never out of date.
/// </summary>
internal static class CompletionCommand
{
    private static readonly Dictionary<string, string> Scripts = new()
    {
        ["bash"] = """
            # Completion of sbert in bash: source <(sbert completion bash)
            _sbert() {
              local current="${COMP_WORDS[COMP_CWORD]}"
              mapfile -t COMPREPLY < <(compgen -W "$("${COMP_WORDS[0]}" "[suggest:$COMP_POINT]" "$COMP_LINE" 2>/dev/null)" -- "$current")
            }
            complete -o default -F _sbert sbert ./sbert
            """,
        ["zsh"] = """
            # Completion of sbert in zsh: source <(sbert completion zsh)
            _sbert() {
              local -a words_found
              words_found=("${(@f)$("${words[1]}" "[suggest:$CURSOR]" "$BUFFER" 2>/dev/null)}")
              if [[ -n "$words_found" ]]; then compadd -- "${words_found[@]}"; else _files; fi
            }
            compdef _sbert sbert
            """,
        ["fish"] = """
            # Completion of sbert in fish: sbert completion fish | source
            function __sbert_suggest
                set -l line (commandline -p)
                sbert "[suggest:"(commandline -C)"]" "$line" 2>/dev/null
            end
            complete -c sbert -a '(__sbert_suggest)'
            """,
        ["pwsh"] = """
            # Completion of sbert in PowerShell: sbert completion pwsh | Out-String | Invoke-Expression
            Register-ArgumentCompleter -Native -CommandName sbert -ScriptBlock {
              param($wordToComplete, $commandAst, $cursorPosition)
              sbert "[suggest:$cursorPosition]" "$commandAst" 2>$null |
                Where-Object { $_ -like "$wordToComplete*" } |
                ForEach-Object { [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_) }
            }
            """,
    };

    public static Command Create()
    {
        var type = new OptionType(typeof(string), words: [.. Scripts.Keys]);
        var shell = new Argument<string>("shell")
        {
            Description = $"The shell: {string.Join(", ", Scripts.Keys)}.",
            CustomParser = argument => TypedOption.Parse(argument, type) as string ?? "",
        };
        shell.CompletionSources.Add([.. Scripts.Keys]);
        var command = new Command("completion", "Print the script that lets a shell complete sbert's verbs and options.") { shell };
        command.SetAction(parsed =>
        {
            Console.Out.WriteLine(Scripts[parsed.GetRequiredValue(shell)]);
            return ExitCode.Done;
        });
        return command;
    }
}
