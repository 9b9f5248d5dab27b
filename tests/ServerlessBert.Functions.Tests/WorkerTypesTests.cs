using System.Reflection;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Azure.Functions.Worker.Extensions.Abstractions;

namespace ServerlessBert.Functions.Tests;

/// <summary>The worker's public API as its source has it; the packages and the stand-ins pass alike.</summary>
public sealed class WorkerTypesTests
{
    public static TheoryData<Type, string[]> Types => new()
    {
        { typeof(FunctionAttribute), ["class FunctionAttribute : Attribute", "on Method", "new(String name)", "String Name get"] },
        { typeof(BindingAttribute), ["abstract class BindingAttribute : Attribute", "on Method"] },
        { typeof(TriggerBindingAttribute), ["abstract class TriggerBindingAttribute : BindingAttribute", "on Parameter"] },
        { typeof(QueueTriggerAttribute), ["sealed class QueueTriggerAttribute : TriggerBindingAttribute", "on Parameter", "new(String queueName)", "String Connection get set", "String QueueName get"] },
        { typeof(TimerTriggerAttribute), ["sealed class TimerTriggerAttribute : TriggerBindingAttribute", "on Parameter", "new(String schedule)", "Boolean RunOnStartup get set", "Boolean UseMonitor get set", "String Schedule get"] },
        { typeof(TimerInfo), ["class TimerInfo : Object", "new()", "Boolean IsPastDue get set", "ScheduleStatus ScheduleStatus get set"] },
        { typeof(ScheduleStatus), ["class ScheduleStatus : Object", "new()", "DateTime Last get set", "DateTime LastUpdated get set", "DateTime Next get set"] },
        { typeof(HttpTriggerAttribute), ["sealed class HttpTriggerAttribute : TriggerBindingAttribute", "on Parameter", "new()", "new(AuthorizationLevel authLevel)", "new(AuthorizationLevel authLevel, String[] methods)", "new(String[] methods)", "AuthorizationLevel AuthLevel get", "String Route get set", "String[] Methods get"] },
    };

    [Theory]
    [MemberData(nameof(Types))]
    public void A_type_has_the_workers_signature(Type type, string[] signature) => Assert.Equal(signature, Describe(type));

    [Fact]
    public void Authorization_levels_have_the_workers_values() =>
        Assert.Equal(["Anonymous=0", "User=1", "Function=2", "System=3", "Admin=4"], Enum.GetValues<AuthorizationLevel>().Select(level => $"{level}={(int)level}"));

    [Fact]
    public void The_builder_has_what_Program_calls()
    {
        Assert.Equal(typeof(FunctionsApplicationBuilder), typeof(FunctionsApplication).GetMethod("CreateBuilder", [typeof(string[])])!.ReturnType);
        Assert.Equal("ConfigurationManager", typeof(FunctionsApplicationBuilder).GetProperty("Configuration")!.PropertyType.Name);
        Assert.Equal("IServiceCollection", typeof(FunctionsApplicationBuilder).GetProperty("Services")!.PropertyType.Name);
        Assert.Equal("IHost", typeof(FunctionsApplicationBuilder).GetMethod("Build", [])!.ReturnType.Name);
        Assert.Equal(typeof(FunctionsApplicationBuilder), typeof(FunctionsApplicationBuilderAspNetCoreExtensions).GetMethod("ConfigureFunctionsWebApplication", [typeof(FunctionsApplicationBuilder)])!.ReturnType);
    }

    [Fact]
    public void Attributes_keep_what_they_are_given()
    {
        var timer = new TimerTriggerAttribute("0 * * * * *");
        Assert.Equal(("0 * * * * *", true, false), (timer.Schedule, timer.UseMonitor, timer.RunOnStartup));
        var http = new HttpTriggerAttribute(AuthorizationLevel.Admin, "get", "post") { Route = "r" };
        Assert.Equal((AuthorizationLevel.Admin, "get,post", "r"), (http.AuthLevel, string.Join(',', http.Methods!), http.Route));
        Assert.Equal((AuthorizationLevel.Function, null), (new HttpTriggerAttribute().AuthLevel, new HttpTriggerAttribute().Methods));
        Assert.Equal(("q", "c"), (new QueueTriggerAttribute("q").QueueName, new QueueTriggerAttribute("q") { Connection = "c" }.Connection));
    }

    private static string[] Describe(Type type)
    {
        string kind = type.IsAbstract ? "abstract class" : type.IsSealed ? "sealed class" : "class";
        IEnumerable<string> targets = type.IsSubclassOf(typeof(Attribute)) ? [$"on {type.GetCustomAttribute<AttributeUsageAttribute>(inherit: true)!.ValidOn}"] : [];
        IEnumerable<string> constructors = type.GetConstructors().Select(constructor =>
            $"new({string.Join(", ", constructor.GetParameters().Select(parameter => $"{parameter.ParameterType.Name} {parameter.Name}"))})").Order(StringComparer.Ordinal);
        IEnumerable<string> properties = type.GetProperties(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly).Select(property =>
            $"{property.PropertyType.Name} {property.Name} get{(property.GetSetMethod() is null ? "" : " set")}").Order(StringComparer.Ordinal);
        return [$"{kind} {type.Name} : {type.BaseType!.Name}", .. targets, .. constructors, .. properties];
    }
}
