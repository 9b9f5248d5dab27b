using System.Buffers.Binary;
using System.Text;
using ServerlessBert.Modeling.Checkpoints;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling.Tests.Checkpoints;

public sealed class SafetensorsHeaderTests
{
    private const string A = "\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}";

    [Fact]
    public void A_sound_header_gives_its_tensors_in_the_order_of_their_bytes()
    {
        var header = Read(SafetensorsBytes.Of(
            """{"b":{"dtype":"I64","shape":[],"data_offsets":[8,16]},"__metadata__":{"format":"pt"},"a":{"shape":[2],"data_offsets":[0,8],"dtype":"F32"},"none":{"dtype":"BF16","shape":[3,0],"data_offsets":[16,16]}}  """, 16));
        Assert.Equal(["a", "b", "none"], header.Entries.Select(entry => entry.Name));
        Assert.Equal([ScalarType.Float32, ScalarType.Int64, ScalarType.BFloat16], header.Entries.Select(entry => entry.Dtype));
        Assert.Equal([3L, 0L], header.Entries[2].Shape);
        Assert.Equal("pt", header.Metadata["format"]);
    }

    [Theory]
    [InlineData("F64", 8)]
    [InlineData("F32", 4)]
    [InlineData("F16", 2)]
    [InlineData("BF16", 2)]
    [InlineData("I64", 8)]
    [InlineData("I32", 4)]
    [InlineData("I16", 2)]
    [InlineData("I8", 1)]
    [InlineData("U8", 1)]
    [InlineData("BOOL", 1)]
    public void Every_known_dtype_has_its_size(string dtype, int bytes) =>
        Assert.Single(Read(
            SafetensorsBytes.Of(
            "{\"a\":{\"dtype\":\"" + dtype + "\",\"shape\":[3],\"data_offsets\":[0," + 3 * bytes + "]}}", 3 * bytes)).Entries);

    [Fact]
    public void A_file_without_tensors_is_sound() => Assert.Empty(Read(SafetensorsBytes.Of("{}", 0)).Entries);

    /// <summary>The corpus: header, bytes of data, the fault that the message must name.</summary>
    public static TheoryData<string, int, string> Malformed => new()
    {
        { "", 0, "does not begin with '{'" },
        { " {}", 0, "does not begin with '{'" },
        { "[]", 0, "does not begin with '{'" },
        { "{", 0, "not valid JSON" },
        { "{}{}", 0, "not valid JSON" },
        { "{} x", 0, "not valid JSON" },
        { "{" + A + ",}", 8, "not valid JSON" },
        { "{" + A + "/*comment*/}", 8, "not valid JSON" },
        { "{" + A + "," + A + "}", 8, "not valid JSON: Duplicate property 'a'" },
        { "{" + A + ",\"\\u0061\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,16]}}", 16,
            "not valid JSON: Duplicate property 'a'" },
        { "{\"__metadata__\":{},\"__metadata__\":{}}", 0, "not valid JSON: Duplicate property '__metadata__'" },
        { "{\"__metadata__\":{\"x\":\"1\",\"x\":\"2\"}}", 0, "not valid JSON: Duplicate property 'x'" },
        { "{\"__metadata__\":{\"x\":1}}", 0, "__metadata__.x is Number" },
        { "{\"__metadata__\":null}", 0, "__metadata__ is Null" },
        { "{\"a\":5}", 0, "a is Number" },
        { "{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8,
            "not valid JSON: Duplicate property 'dtype'" },
        { "{\"a\":{\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "has no dtype" },
        { "{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,8]}}", 8, "has no shape" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}}", 8, "has no data_offsets" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8],\"extra\":1}}", 8, "unknown field 'extra'" },
        { "{\"a\":{\"dtype\":\"F8_E4M3\",\"shape\":[8],\"data_offsets\":[0,8]}}", 8, "unknown dtype 'F8_E4M3'" },
        { "{\"a\":{\"dtype\":\"f32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "unknown dtype 'f32'" },
        { "{\"a\":{\"dtype\":1,\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "a.dtype is Number" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":2,\"data_offsets\":[0,8]}}", 8, "a.shape is Number" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}}", 8, "a.shape holds something other" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[2.0],\"data_offsets\":[0,8]}}", 8, "a.shape holds something other" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[\"2\"],\"data_offsets\":[0,8]}}", 8, "a.shape holds something other" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[[2]],\"data_offsets\":[0,8]}}", 8, "a.shape holds something other" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,18446744073709551615]}}", 8,
            "a.data_offsets holds something other" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0]}}", 8, "has 1 data_offsets" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8,16]}}", 8, "has 3 data_offsets" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,0]}}", 8, "after its end" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,8]}}", 8, "has 8 bytes, but F32 of shape [3] needs 12" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,8]}}", 8, "has 8 bytes, but F32 of shape [] needs 4" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904,4],\"data_offsets\":[0,0]}}", 0, "too large for any memory" },
        { "{\"a\":{\"dtype\":\"U8\",\"shape\":[9223372036854775807,9223372036854775807,0],\"data_offsets\":[0,0]}}", 0,
            "too large for any memory" },
        { "{" + A + "}", 4, "ends at byte 8, but the data has 4" },
        { "{" + A + "}", 12, "4 bytes after the last tensor" },
        { "{}", 1, "1 bytes after the last tensor" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}}", 12, "hole before tensor 'a': bytes 0 to 4" },
        { "{" + A + ",\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[12,16]}}", 16, "hole before tensor 'b': bytes 8 to 12" },
        { "{" + A + ",\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}}", 12, "begins at byte 4 and overlaps" },
        { "{" + A + ",\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "overlaps" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[" + string.Join(",", Enumerable.Repeat("1", 65)) + "],\"data_offsets\":[0,4]}}", 4,
            "more than 64 numbers" },
        { "{\"\\ud800\":" + A[4..] + "}", 8, "not valid JSON" },
        { new string('{', 100), 0, "not valid JSON" },
        { "{\"a\":" + new string('[', 10_000), 0, "not valid JSON" },
    };

    [Theory]
    [MemberData(nameof(Malformed))]
    public void A_malformed_header_is_refused_with_its_fault(string header, int dataLength, string fault) =>
        Assert.Contains(fault, Assert.Throws<SafetensorsException>(() => Read(SafetensorsBytes.Of(header, dataLength))).Message);

    [Fact]
    public void Text_that_is_not_UTF_8_is_refused()
    {
        byte[] header = Encoding.UTF8.GetBytes("{" + A + "}");
        header[2] = 0xFF;
        Assert.Contains("not valid JSON", Assert.Throws<SafetensorsException>(() => Read(SafetensorsBytes.Of(header, 8))).Message);
    }

    [Theory]
    [InlineData(0, "0 bytes, fewer than the eight")]
    [InlineData(7, "7 bytes, fewer than the eight")]
    public void A_file_without_room_for_a_length_is_refused(int length, string fault) =>
        Assert.Contains(fault, Assert.Throws<SafetensorsException>(() => Read(new byte[length])).Message);

    [Theory]
    [InlineData(100_000_001ul, "at most 100000000 are allowed")]
    [InlineData(ulong.MaxValue, "at most 100000000 are allowed")]
    [InlineData(100_000_000ul, "but only 2 follow")]
    [InlineData(3ul, "but only 2 follow")]
    public void A_header_longer_than_the_file_or_than_100_MB_is_refused_before_it_is_read(ulong length, string fault)
    {
        byte[] file = SafetensorsBytes.Of("{}", 0);
        BinaryPrimitives.WriteUInt64LittleEndian(file, length);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Contains(fault, Assert.Throws<SafetensorsException>(() => Read(file)).Message);
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 100_000);
    }

    internal static SafetensorsHeader Read(byte[] file) =>
        SafetensorsHeader.Read((buffer, offset) => file.AsSpan((int)offset, buffer.Length).CopyTo(buffer), file.Length);
}
