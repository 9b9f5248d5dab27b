# The functions: the Azure Functions host, the app, and libtorch for processors. From the repository's root:
#   docker build -f infra/functions.Dockerfile -t functions .
# Nothing here needs BuildKit, which a registry's own builds do not have. eng/pin-base-images.sh renews the digests.
FROM mcr.microsoft.com/dotnet/sdk:10.0@sha256:35d40304542c8689331f8cab17c65926cdf48fe711e289321d71924b230a7d29 AS build
ENV PUBLISHED=/published NATIVE=/native NUGET_PACKAGES=/nuget LEFT_OVER="/nuget /root/.local/share/NuGet /source/artifacts"
WORKDIR /source
COPY . .
# Compiled ahead of time: a start is an eighth shorter (docs/performance.md). Native libraries go apart, with times that
# do not change. All in one layer: libtorch would otherwise be kept three times over.
RUN dotnet publish src/ServerlessBert.Functions -c Release -r linux-x64 -p:PublishReadyToRun=true -o "$PUBLISHED" \
    && mkdir "$NATIVE" && find "$PUBLISHED" -maxdepth 1 -name '*.so*' -exec mv -t "$NATIVE" {} + \
    && find "$NATIVE" -exec touch -d @0 {} + && rm -rf $LEFT_OVER

FROM mcr.microsoft.com/azure-functions/dotnet-isolated:4-dotnet-isolated10.0
# A port that needs no root, and a folder that the user may write for what guards the host's keys. The two thresholds
# keep glibc from giving the memory of large temporaries back to the system after every operation, to fault it in again
# at the next. libgomp's threads sleep instead of spinning (docs/decisions.md).
ENV AzureWebJobsScriptRoot=/home/site/wwwroot \
    AzureFunctionsJobHost__Logging__Console__IsEnabled=true \
    AzureFunctionsJobHost__Logging__FileLoggingMode=Never \
    ASPNETCORE_URLS=http://+:8080 \
    FUNCTIONS_SECRETS_PATH=/home/data/secrets \
    MALLOC_MMAP_THRESHOLD_=33554432 \
    MALLOC_TRIM_THRESHOLD_=268435456 \
    ONEDNN_PRIMITIVE_CACHE_CAPACITY=128 \
    LRU_CACHE_CAPACITY=128 \
    GOMP_SPINCOUNT=10000
COPY infra/check-functions-host.sh /opt/serverlessbert/
COPY --from=build /native/ /home/site/wwwroot/
COPY --from=build /published/ /home/site/wwwroot/
# The host writes below its home; the app's own folder stays root's.
RUN mkdir -p /home/data/secrets /home/LogFiles && chown 1654:1654 /home /home/data /home/data/secrets /home/LogFiles
USER 1654:1654
EXPOSE 8080
# A base image that cannot load libtorch, or whose host is too old for the app, ends the build here, not in Azure.
RUN dotnet /home/site/wwwroot/ServerlessBert.Functions.dll --check
RUN sh /opt/serverlessbert/check-functions-host.sh /azure-functions-host /home/site/wwwroot
# Not the base image's script, which stays process 1 as a shell: a shell passes no SIGTERM on.
CMD ["/azure-functions-host/Microsoft.Azure.WebJobs.Script.WebHost"]
