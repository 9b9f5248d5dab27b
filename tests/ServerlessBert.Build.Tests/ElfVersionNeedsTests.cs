using CsCheck;

namespace ServerlessBert.Build.Tests;

public sealed class ElfVersionNeedsTests
{
    private static readonly byte[] Original = PackageLibrary.Read();

    [Fact]
    public void In_the_packages_library_one_byte_changes_and_it_sets_the_weak_flag()
    {
        byte[] image = [.. Original];
        Assert.True(TryWeaken(image, out string? reason), reason);
        int at = Assert.Single(PackageLibrary.Differences(Original, image));
        Assert.Equal(0, Original[at]);
        Assert.Equal(2, image[at]);
    }

    [Fact]
    public void The_flag_belongs_to_the_entry_of_the_named_version()
    {
        byte[] image = [.. Original];
        TryWeaken(image, out _);
        // Elfxx_Vernaux: vna_hash, then vna_flags; the hash is the System V ABI's of the version's name.
        int flags = PackageLibrary.Differences(Original, image)[0];
        Assert.Equal(SystemVHash(PackageLibrary.Version), BitConverter.ToUInt32(image, flags - 4));
    }

    [Fact]
    public void Weakening_twice_is_weakening_once()
    {
        byte[] once = [.. Original];
        TryWeaken(once, out _);
        byte[] twice = [.. once];
        Assert.True(TryWeaken(twice, out _));
        Assert.Equal(once, twice);
    }

    [Theory]
    [InlineData("libstdc++.so.6", "GLIBCXX_9.9.99", "it does not name GLIBCXX_9.9.99 of libstdc++.so.6 as needed.")]
    [InlineData("libelsewhere.so.1", "GLIBCXX_3.4.32", "it does not name GLIBCXX_3.4.32 of libelsewhere.so.1 as needed.")]
    [InlineData("libstdc++.so.6", "GLIBCXX_3.4", "a relocation uses a symbol of GLIBCXX_3.4, so the version is really needed.")]
    public void A_version_that_is_absent_or_really_used_is_left_alone(string library, string version, string expected)
    {
        byte[] image = [.. Original];
        Assert.False(ElfVersionNeeds.TryWeaken(image, library, version, out string? reason));
        Assert.Equal(expected, reason);
        Assert.Equal(Original, image);
    }

    [Fact]
    public void A_relocation_that_comes_to_use_the_version_keeps_it_strong()
    {
        byte[] image = [.. Original];
        byte[] weak = [.. Original];
        TryWeaken(weak, out _);
        int index = BitConverter.ToUInt16(image, PackageLibrary.Differences(Original, weak)[0] + 2);
        // Every versioned symbol now claims this version, those of relocations too.
        (int offset, int size) = SectionOf(image, 0x6fffffff);
        for (int at = offset; at < offset + size; at += 2) BitConverter.TryWriteBytes(image.AsSpan(at), (ushort)index);
        byte[] before = [.. image];
        Assert.False(TryWeaken(image, out string? reason));
        Assert.Equal("a relocation uses a symbol of GLIBCXX_3.4.32, so the version is really needed.", reason);
        Assert.Equal(before, image);
    }

    [Fact]
    public void What_is_no_ELF_file_is_left_alone() => Gen.Byte.Array[0, 200].Sample(image =>
    {
        byte[] before = [.. image];
        Assert.False(TryWeaken(image, out string? reason));
        Assert.Equal("it is not a 64-bit little-endian ELF file.", reason);
        Assert.Equal(before, image);
    });

    [Fact]
    public void A_truncated_file_is_left_alone() => Gen.Int[65, Original.Length - 1].Sample(length =>
    {
        byte[] image = Original[..length];
        Assert.False(TryWeaken(image, out string? reason));
        Assert.Equal("its ELF tables point outside of the file.", reason);
        Assert.True(image.AsSpan().SequenceEqual(Original.AsSpan(0, length)));
    }, iter: 30);

    [Fact]
    public void Entries_that_go_in_circles_end()
    {
        byte[] image = [.. Original];
        (int offset, _) = SectionOf(image, 0x6ffffffe);
        BitConverter.TryWriteBytes(image.AsSpan(offset + 12), -1);
        BitConverter.TryWriteBytes(image.AsSpan(offset + 4), 0);
        Assert.False(TryWeaken(image, out string? reason));
        Assert.Equal("its ELF tables point outside of the file.", reason);
    }

    [Fact]
    public void Damaged_tables_change_at_most_the_flag_and_are_answered_with_a_sentence()
    {
        (int offset, int size) = SectionOf(Original, 0x6ffffffe);
        byte[] image = [.. Original];
        Gen.Select(Gen.Int[0, size - 1], Gen.Byte).Sample((at, value) =>
        {
            byte kept = image[offset + at];
            image[offset + at] = value;
            byte[] before = [.. image];
            bool isWeak = TryWeaken(image, out string? reason);
            Assert.Equal(isWeak, reason is null);
            Assert.InRange(PackageLibrary.Differences(before, image).Length, 0, isWeak ? 1 : 0);
            before.CopyTo(image, 0);
            image[offset + at] = kept;
        }, iter: 50, threads: 1);
    }

    private static bool TryWeaken(byte[] image, out string? reason) =>
        ElfVersionNeeds.TryWeaken(image, PackageLibrary.Library, PackageLibrary.Version, out reason);

    /// <summary>Offset and size of the first section of a type, by the ELF header's own table.</summary>
    private static (int Offset, int Size) SectionOf(byte[] image, uint type)
    {
        long table = BitConverter.ToInt64(image, 0x28);
        for (int i = 0; i < BitConverter.ToUInt16(image, 0x3c); i++)
        {
            int at = (int)table + 64 * i;
            if (BitConverter.ToUInt32(image, at + 4) == type)
                return ((int)BitConverter.ToInt64(image, at + 24), (int)BitConverter.ToInt64(image, at + 32));
        }
        throw new InvalidOperationException($"No section of type {type:x}.");
    }

    private static uint SystemVHash(string name)
    {
        uint hash = 0;
        foreach (char character in name)
        {
            hash = (hash << 4) + character;
            uint high = hash & 0xf0000000;
            hash = (hash ^ (high >> 24)) & ~high;
        }
        return hash;
    }
}
