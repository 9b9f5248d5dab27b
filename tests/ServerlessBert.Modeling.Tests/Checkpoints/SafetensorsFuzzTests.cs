using System.Diagnostics;
using System.Text;
using CsCheck;
using ServerlessBert.Modeling.Checkpoints;

namespace ServerlessBert.Modeling.Tests.Checkpoints;

public sealed class SafetensorsFuzzTests
{
    private static readonly byte[] Sound = SafetensorsBytes.Of(
        """{"__metadata__":{"format":"pt"},"bert.pooler.dense.weight":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},"ids":{"dtype":"I64","shape":[1],"data_offsets":[24,32]},"half":{"dtype":"BF16","shape":[4],"data_offsets":[32,40]}}   """, 40);

    // Pieces that a parser trips over, to be put in the place of others.
    private static readonly string[] Pieces =
        ["{", "}", "[", "]", ",", ":", "\"", "\\", "0", "-1", "1e9", "9223372036854775807", "18446744073709551616", "null", "F64",
            "\"dtype\"", "\"shape\"", "\\ud800", "\0", "\u00e9", "[24,32]", "[0,24]"];

    [Fact]
    public void Twenty_thousand_mutations_give_a_sound_header_or_a_named_fault_quickly_and_in_little_memory()
    {
        var clock = Stopwatch.StartNew();
        int refused = 0;
        Gen.Select(Gen.Int[1, 4], Gen.ULong).Sample((count, seed) =>
        {
            byte[] file = Mutate(Sound, count, new Random((int)(seed & int.MaxValue)));
            long before = GC.GetAllocatedBytesForCurrentThread();
            if (!IsSound(file)) Interlocked.Increment(ref refused);
            Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 1_000_000);
        }, iter: 20_000);
        Assert.True(refused > 15_000, $"only {refused} mutations broke the file");
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(30));
    }

    [Fact]
    public void A_file_cut_anywhere_is_refused()
    {
        for (int length = 0; length < Sound.Length; length++)
            Assert.False(IsSound(Sound[..length]));
        Assert.True(IsSound(Sound));
    }

    private static byte[] Mutate(byte[] file, int count, Random random)
    {
        var bytes = file.ToList();
        for (int i = 0; i < count && bytes.Count > 0; i++)
        {
            int at = random.Next(bytes.Count);
            switch (random.Next(5))
            {
                case 0: bytes[at] = (byte)random.Next(256); break;
                case 1: bytes[at] ^= (byte)(1 << random.Next(8)); break;
                case 2: bytes.RemoveRange(at, Math.Min(random.Next(1, 9), bytes.Count - at)); break;
                case 3: bytes.InsertRange(at, Encoding.UTF8.GetBytes(Pieces[random.Next(Pieces.Length)])); break;
                default:
                    byte[] copied = [.. bytes.Skip(random.Next(bytes.Count)).Take(random.Next(1, 40))];
                    bytes.InsertRange(at, copied);
                    break;
            }
        }
        return [.. bytes];
    }

    // What comes through must hold what the header promises; anything but SafetensorsException fails the test.
    private static bool IsSound(byte[] file)
    {
        try
        {
            var header = SafetensorsHeaderTests.Read(file);
            Assert.Equal(file.Length - header.DataStart, header.Entries.Sum(entry => entry.End - entry.Begin));
            return true;
        }
        catch (SafetensorsException exception)
        {
            Assert.NotEmpty(exception.Message);
            return false;
        }
    }
}
