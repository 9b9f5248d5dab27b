using Microsoft.Extensions.Logging;

namespace ServerlessBert.Trainer.Tests;

/// <summary>Gives each logged message to a test, as it is formatted.</summary>
internal sealed class LogLines(Action<string> take) : ILoggerProvider, ILogger
{
    public ILogger CreateLogger(string categoryName) => this;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        take(formatter(state, exception));

    public bool IsEnabled(LogLevel logLevel) => true;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public void Dispose() { }
}
