using System.Reflection;
using System.Text.Json;
using Microsoft.Azure.Functions.Worker;
using ServerlessBert.Functions;

namespace ServerlessBert.Infrastructure.Tests;

/// <summary>A published Functions app: the files that the Functions host reads before it starts the worker.</summary>
internal sealed class FunctionsFolder(string path)
{
    public void MustBeWhatTheHostReads()
    {
        MustHaveEveryFunction();
        MustNameTheWorker();
        MustHaveTheHostsExtensions();
        Assert.Equal("2.0", Read("host.json").GetProperty("version").GetString());
        Assert.True(Read("ServerlessBert.Functions.runtimeconfig.json").TryGetProperty("runtimeOptions", out _));
    }

    /// <summary>functions.metadata says of each function what its attributes say.</summary>
    private void MustHaveEveryFunction()
    {
        JsonElement[] functions = [.. Read("functions.metadata").EnumerateArray()];
        Assert.All(functions,
            function => Assert.Equal(
            ("dotnet-isolated", "ServerlessBert.Functions.dll"), (Text(function, "language"), Text(function, "scriptFile"))));
        Assert.Equal(Attributes().Order(), functions.Select(Describe).Order());
    }

    private static string Describe(JsonElement function)
    {
        JsonElement trigger = function.GetProperty("bindings")[0];
        string what = Text(trigger, "type") switch
        {
            "queueTrigger" => $"queueTrigger {Text(trigger, "queueName")} {Text(trigger, "connection")}",
            "timerTrigger" => $"timerTrigger {Text(trigger, "schedule")}",
            "httpTrigger" =>
                $"httpTrigger {Text(trigger, "route")} {Text(trigger, "authLevel")} {trigger.GetProperty("methods")[0].GetString()}",
            var other => other!,
        };
        return $"{Text(function, "name")} {Text(function, "entryPoint")}: {what} {Text(trigger, "direction")}";
    }

    private static IEnumerable<string> Attributes() =>
        from type in typeof(Settings).Assembly.GetTypes()
        from method in type.GetMethods()
        let function = method.GetCustomAttribute<FunctionAttribute>()
        where function is not null
        let trigger = method.GetParameters().SelectMany(parameter => parameter.GetCustomAttributes())
            .Single(attribute => attribute.GetType().Name.EndsWith("TriggerAttribute", StringComparison.Ordinal))
        select $"{function.Name} {type.FullName}.{method.Name}: " + trigger switch
        {
            QueueTriggerAttribute queue => $"queueTrigger {queue.QueueName} {queue.Connection}",
            TimerTriggerAttribute timer => $"timerTrigger {timer.Schedule}",
            HttpTriggerAttribute http => $"httpTrigger {http.Route} {http.AuthLevel} {http.Methods![0]}",
            _ => trigger.GetType().Name,
        } + " In";

    private void MustNameTheWorker()
    {
        JsonElement description = Read("worker.config.json").GetProperty("description");
        Assert.Equal(("dotnet-isolated", "dotnet"), (Text(description, "language"), Text(description, "defaultExecutablePath")));
        Assert.True(File.Exists(Path.Combine(path, Text(description, "defaultWorkerPath")!)));
    }

    /// <summary>extensions.json: queue triggers are an extension of the host; timers and HTTP are its own.</summary>
    private void MustHaveTheHostsExtensions()
    {
        JsonElement[] extensions = [.. Read("extensions.json").GetProperty("extensions").EnumerateArray()];
        Assert.Contains(extensions, extension => Text(extension, "name") == "AzureStorageQueues");
        Assert.All(extensions,
            extension => Assert.True(File.Exists(Path.Combine(path, Text(extension, "hintPath")!)), Text(extension, "hintPath")));
    }

    private JsonElement Read(string name) => JsonDocument.Parse(File.ReadAllText(Path.Combine(path, name))).RootElement;

    private static string? Text(JsonElement element, string property) => element.GetProperty(property).GetString();
}
