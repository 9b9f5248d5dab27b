using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using ServerlessBert.Pipeline.Operations;
using ServerlessBert.Pipeline.Storage;

namespace ServerlessBert.Functions.Http;

/// <summary><c>GET /api/status</c>: queues, live model, this host's model, runs.</summary>
public sealed class GetStatus(PipelineStatus status)
{
    /// <summary>Reads the present state.</summary>
    [Function(nameof(GetStatus))]
    public async Task<IResult> RunAsync(
        [HttpTrigger(AuthorizationLevel.Function, "get", Route = "status")] HttpRequest request, CancellationToken cancellationToken) =>
        Results.Json(await status.ReadAsync(cancellationToken), PipelineJson.Options);
}
