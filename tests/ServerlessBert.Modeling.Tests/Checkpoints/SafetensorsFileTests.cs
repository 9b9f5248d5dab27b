using System.Text;
using CsCheck;
using ServerlessBert.Modeling.Checkpoints;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling.Tests.Checkpoints;

public sealed class SafetensorsFileTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void The_bytes_are_those_of_the_reference_library()
    {
        using var scope = NewDisposeScope();
        string path = folder.File("x.safetensors");
        SafetensorsWriter.Write(path, new Dictionary<string, Tensor>
        {
            ["b"] = tensor(new float[] { 1, 2 }),
            ["a"] = tensor(new float[] { 3 }),
            ["ids"] = tensor(new long[] { 7 }),
            ["é"] = tensor(new byte[] { 9 }),
        });
        // By alignment, widest first, then by name: the reference library's `prepare` in safetensors/src/tensor.rs.
        const string header = """{"__metadata__":{"format":"pt"},"ids":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[1],"data_offsets":[8,12]},"b":{"dtype":"F32","shape":[2],"data_offsets":[12,20]},"é":{"dtype":"U8","shape":[1],"data_offsets":[20,21]}}""";
        int padded = (Encoding.UTF8.GetByteCount(header) + 7) / 8 * 8;
        byte[] expected =
        [
            .. BitConverter.GetBytes((long)padded), .. Encoding.UTF8.GetBytes(header),
                .. Enumerable.Repeat((byte)' ', padded - Encoding.UTF8.GetByteCount(header)),
            .. BitConverter.GetBytes(7L), .. BitConverter.GetBytes(3f), .. BitConverter.GetBytes(1f), .. BitConverter.GetBytes(2f), 9,
        ];
        Assert.Equal(expected, File.ReadAllBytes(path));
        Assert.False(File.Exists(path + ".partial"));
    }

    [Fact]
    public void What_is_written_is_read_again_whatever_types_shapes_and_names()
    {
        ScalarType[] types =
            [ScalarType.Float64, ScalarType.Float32, ScalarType.Float16, ScalarType.BFloat16, ScalarType.Int64, ScalarType.Int32,
            ScalarType.Int16, ScalarType.Int8, ScalarType.Byte, ScalarType.Bool];
        Gen.Select(Gen.String, Gen.Int[0, types.Length - 1].Select(index => types[index]), Gen.Long[0, 5].Array[0, 4]).Array[0, 6].Sample(
            specifications =>
        {
            using var scope = NewDisposeScope();
            var tensors = specifications.Where(each => IsText(each.Item1) && each.Item1 != "__metadata__").DistinctBy(each => each.Item1)
                .ToDictionary(each => each.Item1, each => randint(0, 100, each.Item3, dtype: ScalarType.Int64).to(each.Item2));
            string path = folder.File("round.safetensors");
            SafetensorsWriter.Write(path, tensors);
            using var reader = SafetensorsReader.Open(path);
            Assert.Equal(0, reader.Header.DataStart % 8);
            Assert.Equal(tensors.Keys.Order(), reader.Header.Entries.Select(entry => entry.Name).Order());
            foreach (var entry in reader.Header.Entries)
            {
                var read = reader.Read(entry);
                Assert.Equal(tensors[entry.Name].dtype, read.dtype);
                Assert.Equal(tensors[entry.Name].shape, read.shape);
                Assert.True(tensors[entry.Name].equal(read).all().item<bool>());
            }
        }, iter: 200, threads: 1);
    }

    [Fact]
    public void Floats_are_converted_on_writing_and_integers_are_not()
    {
        using var scope = NewDisposeScope();
        string path = folder.File("x.safetensors");
        SafetensorsWriter.Write(
            path, new Dictionary<string, Tensor> { ["w"] = tensor(new[] { 1.5f, 1e-3f }), ["ids"] = tensor(new long[] { 7 }) },
            ScalarType.BFloat16);
        using var reader = SafetensorsReader.Open(path);
        Assert.Equal([ScalarType.Int64, ScalarType.BFloat16], reader.Header.Entries.Select(entry => entry.Dtype));
        var destination = zeros(2);
        reader.ReadInto(reader.Header.Entries[1], destination);
        Assert.True(destination.equal(tensor(new[] { 1.5f, 1e-3f }).to(ScalarType.BFloat16).to(ScalarType.Float32)).all().item<bool>());
    }

    [Fact]
    public void A_transposed_or_sliced_tensor_is_written_and_read_as_its_values()
    {
        using var scope = NewDisposeScope();
        string path = folder.File("x.safetensors");
        var wide = arange(12, float32).view(3, 4);
        SafetensorsWriter.Write(path, new Dictionary<string, Tensor> { ["t"] = wide.t() });
        using var reader = SafetensorsReader.Open(path);
        var destination = zeros(3, 4);
        reader.ReadInto(reader.Header.Entries[0], destination.t());
        Assert.True(destination.equal(wide).all().item<bool>());
    }

    [Fact]
    public void A_malformed_file_is_named_in_the_refusal()
    {
        string path = folder.File("bad.safetensors");
        File.WriteAllBytes(path, SafetensorsBytes.Of("{", 0));
        string message = Assert.Throws<SafetensorsException>(() => SafetensorsReader.Open(path)).Message;
        Assert.Contains(path, message);
        Assert.Contains("not valid JSON", message);
        File.Delete(path); // The refusal has closed it.
    }

    [Fact]
    public void A_file_that_is_cut_after_it_was_opened_is_refused()
    {
        using var scope = NewDisposeScope();
        string path = folder.File("x.safetensors");
        SafetensorsWriter.Write(path, new Dictionary<string, Tensor> { ["w"] = ones(100) });
        using var reader = SafetensorsReader.Open(path);
        File.WriteAllBytes(path, File.ReadAllBytes(path)[..^40]);
        Assert.Contains("ends at byte", Assert.Throws<SafetensorsException>(() => reader.Read(reader.Header.Entries[0])).Message);
    }

    [Fact]
    public void A_destination_of_another_shape_is_refused_with_both_shapes()
    {
        using var scope = NewDisposeScope();
        string path = folder.File("x.safetensors");
        SafetensorsWriter.Write(path, new Dictionary<string, Tensor> { ["w"] = ones(2, 3) });
        using var reader = SafetensorsReader.Open(path);
        Assert.Contains(
            "has shape [2, 3], its destination [3, 2]",
            Assert.Throws<ArgumentException>(() => reader.ReadInto(reader.Header.Entries[0], zeros(3, 2))).Message);
    }

    [Fact]
    public void A_number_type_without_a_name_is_refused_and_leaves_no_file()
    {
        using var scope = NewDisposeScope();
        string path = folder.File("x.safetensors");
        Assert.Throws<ArgumentException>(
            () => SafetensorsWriter.Write(path, new Dictionary<string, Tensor> { ["c"] = zeros(2, ScalarType.ComplexFloat32) }));
        Assert.Empty(Directory.GetFiles(folder.Path));
    }

    private static bool IsText(string text)
    {
        try
        {
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetByteCount(text) >= 0;
        }
        catch (EncoderFallbackException)
        {
            return false;
        }
    }
}
