using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace ServerlessBert.Pipeline;

/// <summary>Registers the pipeline.</summary>
public static class ReviewPipelineServices
{
    /// <summary>Adds storage, runs, registry and model cache, configured from <paramref name="configuration"/>.</summary>
    public static IServiceCollection AddReviewPipeline(this IServiceCollection services, IConfiguration configuration) => throw new NotImplementedException();
}
