using System.CommandLine;
using ServerlessBert.Cli.Input;

namespace ServerlessBert.Cli.Tests.Options;

/// <summary>Options that a verb refuses before it does anything, with the sentence that says so.</summary>
public class RefusalTests
{
    private const string Train = "train --data x.csv --out y ";

    public static TheoryData<string, string> Refused => new()
    {
        // Values that are not of their type, or out of their range.
        { Train + "--max-length abc", "--max-length is 'abc'; it must be a whole number from 3 to 8,192." },
        { Train + "--max-length 2", "--max-length is 2; it must be a whole number from 3 to 8,192." },
        { Train + "--lr 3000", "--lr is 3000; it must be a number above 0 and at most 10, such as 5e-5." },
        { Train + "--learning-rate 0,5", "--learning-rate is '0,5'; it must be a number above 0 and at most 10, such as 5e-5." },
        { Train + "--learning-rate 1", "--learning-rate is 1; it must be below 1, such as 5e-5, with --optimizer adamw." },
        { Train + "--epochs NaN", "--epochs is NaN; it must be a number above 0 and at most 1,000, such as 3." },
        { Train + "--batch-size 1.5", "--batch-size is '1.5'; it must be a whole number from 1 to 4,096." },
        { Train + "--seed x", "--seed is 'x'; it must be a whole number from -2,147,483,648 to 2,147,483,647." },
        { Train + "--optimizer adam", "--optimizer is 'adam'; it must be adamw or sgd." },
        { Train + "--dtype int8", "--dtype is 'int8'; it must be auto, float32 or bf16-mixed." },
        {
            Train + "--class-weights 1,2,much",
            "--class-weights is '1,2,much'; it must be numbers above 0 between commas, such as 1,1,2,1,1, or balanced."
        },
        {
            Train + "--class-weights 1,0",
            "--class-weights is 1,0; it must be numbers above 0 between commas, such as 1,1,2,1,1, or balanced."
        },
        { Train + "--max-hours 0", "--max-hours is 0; it must be a number above 0 and at most 10,000." },
        { Train + "--preset huge", "--preset is 'huge'; it must be tiny, mini, small or base." },
        { Train + "--vocab-size 10", "--vocab-size is 10; it must be a whole number from 100 to 1,000,000." },
        { Train + "--layers 0", "--layers is 0; it must be a whole number from 1 to 1,000." },
        { Train + "--vocab-min-frequency 0", "--vocab-min-frequency is 0; it must be a whole number from 1 to 1,000,000." },
        { Train + "--vocab-merges often", "--vocab-merges is 'often'; it must be frequency or likelihood." },
        { Train + "--eval-fraction 0.95", "--eval-fraction is 0.95; it must be a number from 0 to 0.9, such as 0.1." },
        { Train + "--pretrain-epochs 0", "--pretrain-epochs is 0; it must be a number above 0 and at most 10,000, such as 3." },
        { Train + "--checkpoint-every 0", "--checkpoint-every is 0; it must be a whole number from 1 to 2,147,483,647." },
        { Train + "--device gpu", "--device is 'gpu'; it must be auto, cpu or cuda." },
        { "train --queue --tolerance -1", "--tolerance is -1; it must be a number from 0 to 1, such as 0.005." },
        { "train --queue --significance 0", "--significance is 0; it must be a number above 0 and at most 1, such as 0.05." },
        { "train --queue --base folder", "--base is \"folder\"; it may be current, " },
        { "pretrain --data x --out y --masking-rate 1", "--masking-rate is 1; it must be a number above 0 and below 1, such as 0.15." },
        { "pretrain --data x --out y --sequence-length 2", "--sequence-length is 2; it must be a whole number from 3 to 8,192." },
        { "predict --model m --threads abc text", "--threads is 'abc'; it must be a whole number from 1 to 1,024." },
        { "predict --model m --dtype 1 text", "--dtype is '1'; it must be auto, float32, bfloat16 or int8." },
        { "classify f --model m --max-length 99999999999", "--max-length is '99999999999'; it must be a whole number from 3 to 8,192." },
        { "tokenize --vocab v --max-length 1", "--max-length is 1; it must be a whole number from 2 to 2,147,483,647." },
        { "generate --out x --rows 99999999999", "--rows is '99999999999'; it must be a whole number from 1 to 2,147,483,647." },
        { "host --port abc", "--port is 'abc'; it must be a whole number from 0 to 65,535." },
        { "host -p 65536", "-p is 65536; it must be a whole number from 0 to 65,535." },
        { "models shadow v --share 0", "--share is 0; it must be a number above 0 and at most 1, such as 0.1." },
        { "models retire --keep -1", "--keep is -1; it must be a whole number from 0 to 2,147,483,647." },
        { "models publish f --dtype int8", "--dtype is 'int8'; it must be float32 or bfloat16." },
        { "drop f --wait --show some", "--show is 'some'; it must be a whole number from 0 to 2,147,483,647." },

        // Options that have no effect beside others.
        { Train + "--momentum 0.9", "--momentum has no effect without --optimizer sgd." },
        { Train + "--momentum 0.9 --optimizer adamw", "--momentum has no effect without --optimizer sgd." },
        { Train + "--adam-beta1 0.8 --optimizer sgd", "--adam-beta1 has no effect without --optimizer adamw." },
        { Train + "--adam-beta2 0.8 --optimizer sgd", "--adam-beta2 has no effect without --optimizer adamw." },
        { Train + "--adam-epsilon 0.1 --optimizer sgd", "--adam-epsilon has no effect without --optimizer adamw." },
        {
            Train + "--warmup-steps 3 --warmup-ratio 0.1",
            "--warmup-steps cannot be combined with --warmup-ratio 0.1: both say how long the warm-up is."
        },
        { Train + "--early-stopping-patience 2 --no-load-best", "--early-stopping-patience cannot be combined with --no-load-best." },
        { Train + "--patience 2 --keep-last", "--patience cannot be combined with --keep-last." },
        { Train + "--class-weights 1,2 --balanced-classes", "--class-weights cannot be combined with --balanced-classes: " },
        {
            Train + "--label-smoothing 0.5 --ordinal-label-smoothing 0.5",
            "--ordinal-label-smoothing is 0.5; it must be below 1 together with --label-smoothing 0.5."
        },
        { Train + "--epochs 2 --late-dropout-start 3", "--late-dropout-start is 3; it must be at most --epochs 2." },
        {
            Train + "--patience 2 --early-stopping-patience 2",
            "--early-stopping-patience and --patience are two names of one option; give one of them."
        },
        {
            Train + "--distillation-weight 0.5",
            "--distillation-weight has no effect without --teacher; add --teacher, or leave --distillation-weight out."
        },
        { Train + "--teacher-views 10", "--teacher-views has no effect without --teacher; add --teacher, or leave --teacher-views out." },
        { Train + "--eval e --eval-fraction 0.2", "--eval-fraction cannot be combined with --eval: the file is what is measured on." },
        {
            Train + "--eval-fraction 0 --eval-every 5",
            "--eval-every cannot be combined with --eval-fraction 0: no rows are held out to measure on."
        },
        { Train + "--no-checkpoints --checkpoint-every 5", "--checkpoint-every cannot be combined with --no-checkpoints." },
        { Train + "--tolerance 0.1", "--tolerance has no effect without --queue; add --queue, or leave --tolerance out." },
        { Train + "--significance 0.05", "--significance has no effect without --queue; add --queue, or leave --significance out." },
        { Train + "--base b --preset tiny", "--preset cannot be combined with --base: a checkpoint has its own shape and vocabulary." },
        { Train + "--base b --layers 3", "--layers cannot be combined with --base: a checkpoint has its own shape and vocabulary." },
        {
            Train + "--base b --vocab-size 300",
            "--vocab-size cannot be combined with --base: a checkpoint has its own shape and vocabulary."
        },
        { "pretrain --data x --out y --base b --initializer-range 0.1", "--initializer-range cannot be combined with --base: " },
        { "train --queue --out y", "--out cannot be combined with --queue: it is for a training on this machine." },
        { "train --queue -o y", "-o cannot be combined with --queue: it is for a training on this machine." },
        { "train --queue --device cpu", "--device cannot be combined with --queue: " },
        { "train --queue --log-every 5", "--log-every cannot be combined with --queue: " },
        { "train --queue --word-dropout 0.2", "--word-dropout cannot be combined with --queue: " },
        { "train --queue --checkpoint-every 5", "--checkpoint-every cannot be combined with --queue: " },
        { "train --queue --no-checkpoints", "--no-checkpoints cannot be combined with --queue: " },
        { "train --queue --teacher t", "--teacher cannot be combined with --queue: " },
        { "train --queue --pretrain-epochs 2", "--pretrain-epochs cannot be combined with --queue: " },
        { "train --queue --preset tiny --layers 1", "--layers cannot be combined with --queue: " },
        {
            "train --queue --eval e",
            "--eval cannot be combined with --queue: the job measures on what lies under evaluation/ in the container training-data."
        },
        { "train --queue --momentum 0.9", "--momentum has no effect without --optimizer sgd." },
        { "train --out y", "Option '--data' is required." },
        { "train --data x", "Option '--out' is required." },
        { "drop f --out y", "--out has no effect without --wait; add --wait, or leave --out out." },
        { "drop f --show 3", "--show has no effect without --wait; add --wait, or leave --show out." },
        { "drop f --wait false --show 3", "--show has no effect without --wait; add --wait, or leave --show out." },
        { "tokenize --model m --lowercase", "--lowercase has no effect without --vocab; add --vocab, or leave --lowercase out." },
        { "tokenize --model m --vocab v", "--vocab cannot be combined with --model." },
        { "host --no-azurite --azurite-folder f", "--azurite-folder cannot be combined with --no-azurite." },
        { "models shadow --off --share 0.5", "--share cannot be combined with --off." },
        { "models shadow", "Name a version, or say --off." },
        { "models shadow v --off", "Name a version, or say --off." },
    };

    [Theory, MemberData(nameof(Refused))]
    public async Task A_wrong_option_is_refused_by_its_name(string line, string sentence)
    {
        ParseResult parsed = CommandLine.CreateRoot().Parse(line.Split(' '));
        string[] said = parsed.Errors.Count > 0 ? [.. parsed.Errors.Select(error => error.Message)]
            : [(await Assert.ThrowsAsync<UsageException>(() =>
                parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false }))).Message];

        Assert.Contains(said, one => one.StartsWith(sentence, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("drop f")]
    [InlineData("drop f --wait --show 3 --out y")]
    [InlineData("train --data x --out y --preset tiny --layers 1 --vocab-size 300 --optimizer sgd --momentum 0.9")]
    [InlineData("train --data x --out y --eval-fraction 0 --keep-last --teacher a b --teacher-share 1 --teacher-views 10")]
    [InlineData("train --queue")]
    [InlineData("train --queue --data a b --base current --tolerance 0 --significance 0.05 --patience 2 --no-checkpoints false")]
    [InlineData("tokenize --vocab v --lowercase")]
    [InlineData("models shadow --off")]
    [InlineData("host --azurite-folder f --port 0")]
    public void What_has_an_effect_is_taken(string line) => Assert.Empty(CommandLine.CreateRoot().Parse(line.Split(' ')).Errors);
}
