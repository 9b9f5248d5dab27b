using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Text;
using CsCheck;
using ServerlessBert.Modeling.Options;
using ServerlessBert.Modeling.Pretraining;
using ServerlessBert.Modeling.Recipes;
using ServerlessBert.Modeling.Training;

namespace ServerlessBert.Modeling.Tests.Options;

public class OptionSetTests
{
    private static readonly OptionDescriptor[] All =
        [.. OptionSet<TrainingOptions>.All, .. OptionSet<PretrainingOptions>.All, .. OptionSet<TrainingStart.FromScratch>.All];

    [Fact]
    public void Every_property_of_the_options_is_an_option_with_a_name_and_help()
    {
        Assert.Equal(typeof(TrainingOptions).GetProperties().Where(property => property.CanWrite).Select(property => property.Name),
            OptionSet<TrainingOptions>.All.Select(option => option.Property));
        Assert.Equal(typeof(PretrainingOptions).GetProperties().Where(property => property.CanWrite).Select(property => property.Name),
            OptionSet<PretrainingOptions>.All.Select(option => option.Property));
        Assert.All(All, option => Assert.Matches("^--[a-z0-9-]+$", option.Name));
        Assert.All(All, option => Assert.Matches("^[A-Za-z].*[^.]$", option.Help));
        Assert.All(All, option => Assert.True(option.ValueIn(DefaultsOf(option)) is not null || option.NullMeans is not null, option.Name));
    }

    [Fact]
    public void Names_are_given_once()
    {
        string[] names = [.. OptionSet<TrainingOptions>.All.Concat(OptionSet<TrainingStart.FromScratch>.All).SelectMany(NamesOf)];
        string[] fields = [.. OptionSet<TrainingOptions>.All.SelectMany(option => option.JsonNames)];
        Assert.Equal(names.Distinct(), names);
        Assert.Equal(fields.Distinct(), fields);
    }

    [Fact]
    public void The_defaults_are_within_their_ranges() =>
        Assert.All(All, option =>
            Assert.True(option.ValueIn(DefaultsOf(option)) is not { } value || option.Type.Allows(value), option.Name));

    [Fact]
    public void A_number_is_read_as_it_was_written_whatever_the_culture() =>
        Gen.Select(Gen.Double[-1e9, 1e9], Gen.OneOf("de-DE", "fr-FR", "ar-SA", "en-US")).Sample((number, culture) =>
        {
            CultureInfo before = CultureInfo.CurrentCulture;
            try
            {
                CultureInfo.CurrentCulture = new CultureInfo(culture);
                var type = new OptionType(typeof(double?));
                return type.TryParse(type.Format(number), out object? read) && Math.Abs((double)read! - number) <= 1e-12 * Math.Abs(number);
            }
            finally
            {
                CultureInfo.CurrentCulture = before;
            }
        });

    [Theory]
    [InlineData(typeof(int), "1,000")]
    [InlineData(typeof(int), "1.0")]
    [InlineData(typeof(int), "99999999999")]
    [InlineData(typeof(int), "")]
    [InlineData(typeof(double), "0,5")]
    [InlineData(typeof(double), "1_000")]
    [InlineData(typeof(IReadOnlyList<double>), "1,,2")]
    [InlineData(typeof(IReadOnlyList<double>), "")]
    [InlineData(typeof(OptimizerKind), "1")]
    [InlineData(typeof(OptimizerKind), "adam")]
    [InlineData(typeof(bool), "yes")]
    public void What_is_not_of_the_type_is_not_read(Type type, string text) => Assert.False(new OptionType(type).TryParse(text, out _));

    [Theory]
    [InlineData("NaN")]
    [InlineData("Infinity")]
    [InlineData("1e400")]
    [InlineData("-1e400")]
    public void A_number_without_a_range_must_still_be_finite(string text)
    {
        var type = new OptionType(typeof(double));
        Assert.True(type.TryParse(text, out object? number) && !type.Allows(number));
    }

    [Fact]
    public void A_range_says_which_bounds_belong_to_it()
    {
        Assert.Equal("a number above 0 and at most 10, such as 5e-5",
            OptionSet<TrainingOptions>.Of(nameof(TrainingOptions.LearningRate)).Requirement);
        Assert.Equal("a whole number from 3 to 8,192", OptionSet<TrainingOptions>.Of(nameof(TrainingOptions.MaxLength)).Requirement);
        Assert.Equal("auto, float32 or bf16-mixed", OptionSet<TrainingOptions>.Of(nameof(TrainingOptions.Precision)).Requirement);
        Assert.Equal("numbers above 0 between commas, such as 1,1,2,1,1, or balanced",
            OptionSet<TrainingOptions>.Of(nameof(TrainingOptions.ClassWeights)).Requirement);
        Assert.Equal("above 0 and below 1",
            new OptionType(typeof(double), new RangeAttribute(0.0, 1) { MinimumIsExclusive = true, MaximumIsExclusive = true }).Range);
        Assert.Equal("0 or more", new OptionType(typeof(double), new RangeAttribute(0.0, double.MaxValue)).Range);
    }

    [Fact]
    public void Options_that_were_given_take_the_place_of_defaults_and_change_nothing_else()
    {
        OptionValues<TrainingOptions> given = OptionValues<TrainingOptions>.None.With(options => options.Epochs, 2)
            .With(options => options.LoadBestModelAtEnd, false);

        Assert.Equal(TrainingOptions.FromScratch with { Epochs = 2, LoadBestModelAtEnd = false }, given.Over(TrainingOptions.FromScratch));
        Assert.Equal(5, TrainingOptions.FromScratch.Epochs);
    }

    // A training that was interrupted resumes after an update only where these stay as they are.
    [Fact]
    public void The_bytes_that_a_checkpoint_knows_its_options_by_are_those_of_the_first_version() => Assert.Equal(
        """
        {"Epochs":3,"MaxSteps":null,"MaxHours":null,"MaxRows":null,"MaxEvaluationRows":null,"BatchSize":16,
        "GradientAccumulation":1,"MaxLength":null,"PadToMax":false,"Optimizer":0,"LearningRate":5E-05,"Schedule":0,
        "WarmupRatio":0.1,"WarmupSteps":null,"WeightDecay":0.01,"Beta1":0.9,"Beta2":0.999,"Epsilon":1E-08,"Momentum":0,
        "AverageDecay":0,"MaxGradientNorm":1,"LayerDecay":1,"FreezeEmbeddings":false,"FrozenLayers":0,"LabelSmoothing":0,
        "ClassWeights":null,"BalancedClasses":false,"HiddenDropout":null,"AttentionDropout":null,"ClassifierDropout":null,
        "WordDropout":0,"TokenMasking":0,"NeighbourSmoothing":0,"TeacherShare":0.7,"TeacherViews":1,"CleanEpochs":0,"Seed":42,
        "Compute":2,"EvaluateEvery":null,"LogEvery":10,"Patience":null,"KeepBest":true}
        """.ReplaceLineEndings(""),
        Encoding.UTF8.GetString(OptionDigest.BytesOf(new TrainingOptions { Precision = Precision.BFloat16Mixed })));

    private static IEnumerable<string> NamesOf(OptionDescriptor option) =>
        [option.Name, .. option.Aliases, .. option.FormerName is { } former ? [former] : Array.Empty<string>()];

    private static object DefaultsOf(OptionDescriptor option) =>
        OptionSet<TrainingOptions>.All.Contains(option) ? new TrainingOptions()
        : OptionSet<PretrainingOptions>.All.Contains(option) ? new PretrainingOptions() : new TrainingStart.FromScratch();
}
