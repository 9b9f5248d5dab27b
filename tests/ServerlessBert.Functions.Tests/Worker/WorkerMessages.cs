using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace ServerlessBert.Functions.Tests.Worker;

/// <summary>
/// The messages between Functions host and worker, in Protocol Buffers' JSON form. The worker's package holds their
/// descriptors, so no copy of the protocol is needed here.
/// </summary>
internal static class WorkerMessages
{
    private static readonly FileDescriptor File = (FileDescriptor)Assembly.Load("Microsoft.Azure.Functions.Worker.Grpc")
        .GetType("Microsoft.Azure.Functions.Worker.Grpc.Messages.FunctionRpcReflection", throwOnError: true)!
        .GetProperty("Descriptor", BindingFlags.Public | BindingFlags.Static)!.GetValue(null)!;

    private static readonly MessageDescriptor Streaming = File.FindTypeByName<MessageDescriptor>("StreamingMessage");
    // a failure's status is 0
    private static readonly JsonFormatter Formatter = new(JsonFormatter.Settings.Default.WithFormatDefaultValues(true));
    private static readonly MethodDescriptor EventStream = File.Services.Single().Methods.Single();

    /// <summary>The path of the worker's call: <c>/package.Service/Method</c>.</summary>
    public static string Path { get; } = $"/{EventStream.Service.FullName}/{EventStream.Name}";

    public static byte[] ToBytes(JsonObject message) => JsonParser.Default.Parse(message.ToJsonString(), Streaming).ToByteArray();

    public static JsonElement FromBytes(byte[] bytes) =>
        JsonDocument.Parse(Formatter.Format(Streaming.Parser.ParseFrom(bytes))).RootElement;
}
