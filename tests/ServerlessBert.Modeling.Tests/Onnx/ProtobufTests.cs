using CsCheck;
using ServerlessBert.Modeling.Onnx;
using ServerlessBert.Modeling.Tests.Bert;
using ServerlessBert.Modeling.Tests.Checkpoints;

namespace ServerlessBert.Modeling.Tests.Onnx;

public sealed class ProtobufTests
{
    [Fact]
    public void What_is_written_is_read()
    {
        Gen.Select(Gen.Long, Gen.Float, Gen.String, Gen.Byte.Array).Sample((integer, number, text, bytes) =>
        {
            using var stream = new MemoryStream();
            new ProtobufWriter().Integer(1, integer).Float(2, number).Text(3, text).Message(900, new ProtobufWriter().Bytes(1, bytes))
                .CopyTo(stream);
            ProtobufField[] fields = [.. ProtobufReader.Fields(stream.ToArray())];
            return fields.Select(field => field.Number).SequenceEqual([1, 2, 3, 900]) && fields[0].Integer == integer
                && BitConverter.SingleToInt32Bits(fields[1].Float) == BitConverter.SingleToInt32Bits(number)
                && fields[2].Text == System.Text.Encoding.UTF8.GetString(System.Text.Encoding.UTF8.GetBytes(text))
                && ProtobufReader.Fields(fields[3].Bytes).Single().Bytes.Span.SequenceEqual(bytes);
        });
    }

    [Theory]
    [InlineData(new byte[] { 0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 1, 2 }, "a field claims 4,294,967,295 bytes, but only 2 follow")]
    [InlineData(new byte[] { 0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01 },
        "a field claims 18,446,744,073,709,551,615 bytes")]
    [InlineData(new byte[] { 0x08, 0x80 }, "it ends within a number")]
    [InlineData(new byte[] { 0x08, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80 }, "a number is longer than 10 bytes")]
    [InlineData(new byte[] { 0x0D, 1, 2, 3 }, "a field claims 4 bytes, but only 3 follow")]
    [InlineData(new byte[] { 0x0B }, "field 1 has the unknown wire type 3")]
    [InlineData(new byte[] { 0x00 }, "the field number 0 is not valid")]
    public void A_length_is_not_believed_beyond_the_bytes(byte[] bytes, string expected) =>
        Assert.StartsWith(expected, Assert.Throws<InvalidDataException>(() => ProtobufReader.Fields(bytes).ToList())
            .Message, StringComparison.Ordinal);

    [Fact]
    public void Any_damage_to_a_graph_gives_a_sentence_or_a_model_and_nothing_else()
    {
        using var scratch = new TemporaryFolder();
        using var model = BertForSequenceClassificationTests.Seeded(BertForSequenceClassificationTests.Small with { NumHiddenLayers = 1 });
        string path = scratch.File("graph.onnx");
        ExportedGraph.Write(model, ExportStyle.Traced, path);
        byte[] whole = File.ReadAllBytes(path);
        Gen.Select(Gen.Int[0, whole.Length - 1], Gen.Byte, Gen.Int[0, whole.Length]).Array[1, 6].Sample(changes =>
        {
            byte[] bytes = [.. whole];
            foreach (var (place, value, _) in changes) bytes[place] = value;
            File.WriteAllBytes(path, bytes[..Math.Max(changes[0].Item3, bytes.Length / 2)]);
            try
            {
                OnnxImport read = OnnxImport.Read(path);
                read.Save(scratch.File("out"), read.Config);
            }
            catch (OnnxException exception)
            {
                Assert.StartsWith(path, exception.Message, StringComparison.Ordinal);
            }
        }, iter: 400, threads: 1);
    }

    [Theory]
    [InlineData(new long[] { 1L << 40, 1L << 40 })]
    [InlineData(new long[] { 65536, 65536, 65536, 65536 })]
    [InlineData(new long[] { -1 })]
    public void Shapes_beyond_any_file_are_refused_before_memory_is_taken(long[] shape)
    {
        var tensor = new ProtobufWriter();
        foreach (long size in shape) tensor.Integer(1, size);
        using var stream = new MemoryStream();
        tensor.Integer(2, 1).CopyTo(stream);
        Assert.Throws<InvalidDataException>(() => OnnxTensor.Parse(stream.ToArray(), new OnnxExternalData("")));
    }
}
