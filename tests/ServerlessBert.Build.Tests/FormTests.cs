namespace ServerlessBert.Build.Tests;

/// <summary>What the compiler's style rules do not hold.</summary>
public sealed class FormTests
{
    private const int MaxLineLength = 140, MaxFilesInFolder = 15;

    [Fact]
    public void No_line_of_the_sources_is_longer_than_140_characters() => Assert.Empty(
        from file in Repository.Sources("src", "samples", "benchmarks")
        from line in File.ReadLines(Repository.PathOf(file)).Select((text, index) => (text.Length, Number: index + 1))
        where line.Length > MaxLineLength
        select $"{file}:{line.Number}");

    [Fact]
    public void No_folder_of_the_sources_holds_more_than_15_files() => Assert.Empty(
        from folder in Repository.Sources("src").GroupBy(file => Path.GetDirectoryName(file))
        where folder.Count() > MaxFilesInFolder
        select $"{folder.Key}: {folder.Count()}");
}
