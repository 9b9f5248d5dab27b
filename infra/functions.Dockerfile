# The functions: the Azure Functions host, the app, and libtorch for processors. From the repository's root:
#   docker build -f infra/functions.Dockerfile -t functions .
# Nothing here needs BuildKit, which a registry's own builds do not have.
FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
ENV PUBLISHED=/published NATIVE=/native
WORKDIR /source
COPY . .
# Compiled ahead of time: a start is an eighth shorter (docs/performance.md).
RUN dotnet publish src/ServerlessBert.Functions -c Release -r linux-x64 -p:PublishReadyToRun=true -o "$PUBLISHED"
# Native libraries apart, with times that do not change: their layer stays as it is while only the code changes.
RUN mkdir "$NATIVE" && find "$PUBLISHED" -maxdepth 1 -name '*.so*' -exec mv -t "$NATIVE" {} + && find "$NATIVE" -exec touch -d @0 {} +

FROM mcr.microsoft.com/azure-functions/dotnet-isolated:4-dotnet-isolated10.0
# A port that needs no root. The two thresholds keep glibc from giving the memory of large temporaries back to the
# system after every operation, to fault it in again at the next. libgomp's threads sleep instead of spinning
# (docs/decisions.md).
ENV AzureWebJobsScriptRoot=/home/site/wwwroot \
    AzureFunctionsJobHost__Logging__Console__IsEnabled=true \
    AzureFunctionsJobHost__Logging__FileLoggingMode=Never \
    ASPNETCORE_URLS=http://+:8080 \
    MALLOC_MMAP_THRESHOLD_=33554432 \
    MALLOC_TRIM_THRESHOLD_=268435456 \
    ONEDNN_PRIMITIVE_CACHE_CAPACITY=128 \
    LRU_CACHE_CAPACITY=128 \
    GOMP_SPINCOUNT=10000
COPY --from=build /native/ /home/site/wwwroot/
COPY --from=build /published/ /home/site/wwwroot/
# The host writes below its home; the app's own folder stays root's.
RUN mkdir -p /home/data /home/LogFiles && chown 1654:1654 /home /home/data /home/LogFiles
USER 1654:1654
EXPOSE 8080
# A base image that cannot load libtorch ends the build here, not the first batch in Azure.
RUN dotnet /home/site/wwwroot/ServerlessBert.Functions.dll --check
