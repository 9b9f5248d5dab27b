# The training job, with libtorch for CUDA 12 (it runs on a processor too, where there is no device). From the root:
#   docker build -f infra/trainer.Dockerfile -t trainer .
#   docker build -f infra/trainer.Dockerfile -t trainer --build-arg TRAINER_DEVICE=cpu .     (small, no GPU)
FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
ARG TRAINER_DEVICE=cuda
ENV PUBLISHED=/published NATIVE=/native
WORKDIR /source
COPY . .
RUN dotnet publish src/ServerlessBert.Trainer -c Release -r linux-x64 -p:TrainerDevice="$TRAINER_DEVICE" -o "$PUBLISHED"
# Native libraries apart, with times that do not change: their layer stays as it is while only the code changes.
RUN mkdir "$NATIVE" && find "$PUBLISHED" -maxdepth 1 -name '*.so*' -exec mv -t "$NATIVE" {} + && find "$NATIVE" -exec touch -d @0 {} +

FROM mcr.microsoft.com/dotnet/aspnet:10.0-noble
# The container runtime mounts the driver where these ask for it. libgomp's threads sleep instead of spinning
# (docs/decisions.md).
ENV NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility \
    GOMP_SPINCOUNT=10000
COPY --from=build /native/ /app/
COPY --from=build /published/ /app/
USER 1654:1654
# A base image that cannot load libtorch ends the build here, not the first training in Azure.
RUN dotnet /app/ServerlessBert.Trainer.dll --check
ENTRYPOINT ["dotnet", "/app/ServerlessBert.Trainer.dll"]
CMD ["--once"]
