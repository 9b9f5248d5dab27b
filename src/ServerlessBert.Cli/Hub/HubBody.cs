namespace ServerlessBert.Cli.Hub;

/// <summary>An answer's body, whose ends and silences become <see cref="HubException"/>s, apart from what goes wrong on the disk.</summary>
internal sealed class HubBody(Stream stream, string host, TimeSpan silence) : IDisposable
{
    /// <summary>Opens an answer's body.</summary>
    public static async Task<HubBody> OpenAsync(HttpResponseMessage response, TimeSpan silence, CancellationToken cancellationToken) =>
        new(await response.Content.ReadAsStreamAsync(cancellationToken), response.RequestMessage!.RequestUri!.Authority, silence);

    /// <summary>The next bytes; 0 at the end.</summary>
    /// <exception cref="HubException">The connection was cut, or said nothing for too long; both pass.</exception>
    public async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(silence);
        try
        {
            return await stream.ReadAsync(buffer, patience.Token);
        }
        catch (Exception exception) when (exception is IOException or HttpRequestException)
        {
            throw new HubException($"{host} cut the connection ({exception.Message})", exception) { IsPassing = true };
        }
        catch (OperationCanceledException exception) when (!cancellationToken.IsCancellationRequested)
        {
            throw new HubException($"{host} sent nothing for {silence.TotalSeconds:N0} s", exception) { IsPassing = true };
        }
    }

    public void Dispose() => stream.Dispose();
}
