using System.Buffers;
using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using ServerlessBert.Modeling.Inference;
using ServerlessBert.Pipeline.Models;
using ServerlessBert.Pipeline.Predictions;
using ServerlessBert.Reviews;

namespace ServerlessBert.Functions.Http;

/// <summary><c>POST /api/predict</c>: one review or an array, answered in the form of a predictions file's lines.</summary>
public sealed class Predict(ModelCache models)
{
    private static readonly PredictLimits Limits = new();
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(30);

    /// <summary>Classifies with the live model.</summary>
    [Function(nameof(Predict))]
    public async Task<IResult> RunAsync(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "predict")] HttpRequest request, CancellationToken cancellationToken)
    {
        if (await ReadBodyAsync(request, cancellationToken) is not { } body)
            return Error(StatusCodes.Status413PayloadTooLarge,
                new RowError("body_too_large",
                $"The body is longer than {Limits.MaxBodyBytes} bytes; send fewer reviews, or drop a file."));
        if (!PredictRequest.TryParse(body, Limits, out PredictRequest? asked, out RowError? error))
            return Error(StatusCodes.Status400BadRequest, error);

        try
        {
            using ModelLease model = await models.AcquireAsync(cancellationToken: cancellationToken);
            IReadOnlyList<Classification> classifications =
                await model.ClassifyAsync([.. asked.Reviews.Select(review => review.Text)], cancellationToken);
            return Results.Bytes(Write(asked, classifications, model.Version), "application/json");
        }
        catch (ModelUnavailableException exception)
        {
            request.HttpContext.Response.Headers.RetryAfter = RetryAfter.TotalSeconds.ToString(CultureInfo.InvariantCulture);
            return Error(StatusCodes.Status503ServiceUnavailable, new RowError("no_model", exception.Message));
        }
    }

    /// <summary>The body, or null when it is over the limit; what is over it is not read.</summary>
    private static async Task<byte[]?> ReadBodyAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        if (request.ContentLength > Limits.MaxBodyBytes) return null;
        var buffer = new byte[Limits.MaxBodyBytes + 1];
        int length = await request.Body.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken);
        return length > Limits.MaxBodyBytes ? null : buffer[..length];
    }

    /// <summary>Lines as in a predictions file; an array puts them between brackets.</summary>
    private static ReadOnlyMemory<byte> Write(PredictRequest asked, IReadOnlyList<Classification> classifications, string version)
    {
        var output = new ArrayBufferWriter<byte>();
        for (int i = 0; i < asked.Reviews.Count; i++)
        {
            if (asked.IsArray) output.Write(i == 0 ? "["u8 : ","u8);
            PredictionWriter.Write(output, asked.Reviews[i], classifications[i], version);
        }
        if (asked.IsArray) output.Write("]"u8);
        return output.WrittenMemory;
    }

    private static IResult Error(int status, RowError error) => Results.Json(new { error }, statusCode: status);
}
