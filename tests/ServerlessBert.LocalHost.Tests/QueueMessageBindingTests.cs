using System.Text.Json;
using Azure.Storage.Queues.Models;
using CsCheck;

namespace ServerlessBert.LocalHost.Tests;

public sealed class QueueMessageBindingTests
{
    public sealed record Order(string Name, int Count);

    [Fact]
    public void A_message_binds_to_itself_its_body_or_an_object()
    {
        QueueMessage message = Message("""{"name":"pizza","Count":2}""");
        Assert.Same(message, QueueMessageBinding.As(message, typeof(QueueMessage)));
        Assert.Equal("""{"name":"pizza","Count":2}""", QueueMessageBinding.As(message, typeof(string)));
        Assert.Equal(message.Body.ToArray(), QueueMessageBinding.As(message, typeof(byte[])));
        Assert.Equal(message.Body.ToString(), Assert.IsType<BinaryData>(QueueMessageBinding.As(message, typeof(BinaryData))).ToString());
        Assert.Equal(new Order("pizza", 2), QueueMessageBinding.As(message, typeof(Order)));
    }

    [Fact]
    public void A_body_that_is_not_the_objects_JSON_throws() =>
        Assert.Throws<JsonException>(() => QueueMessageBinding.As(Message("pizza"), typeof(Order)));

    [Fact]
    public void Decoding_undoes_Base64_and_keeps_the_rest() => Gen.Byte.Array.Sample(bytes =>
    {
        QueueMessage message = Message(Convert.ToBase64String(bytes));
        Assert.True(QueueMessageBinding.TryDecode(message, isBase64: true, out QueueMessage? decoded));
        Assert.Equal(bytes, decoded.Body.ToArray());
        Assert.Equal((message.MessageId, message.PopReceipt, message.DequeueCount),
            (decoded.MessageId, decoded.PopReceipt, decoded.DequeueCount));
    });

    [Fact]
    public void What_is_not_Base64_is_told_apart() =>
        Assert.False(QueueMessageBinding.TryDecode(Message("{ }"), isBase64: true, out _));

    [Fact]
    public void Without_an_encoding_the_body_is_the_text()
    {
        Assert.True(QueueMessageBinding.TryDecode(Message("{ }"), isBase64: false, out QueueMessage? decoded));
        Assert.Equal("{ }", decoded.Body.ToString());
    }

    private static QueueMessage Message(string body) => QueuesModelFactory.QueueMessage("id", "receipt", BinaryData.FromString(body), 3);
}
