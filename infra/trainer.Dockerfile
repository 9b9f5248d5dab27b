# The training job, with libtorch for CUDA 12 (it runs on a processor too, where there is no device). From the root:
#   docker build -f infra/trainer.Dockerfile -t trainer .
#   docker build -f infra/trainer.Dockerfile -t trainer --build-arg TRAINER_DEVICE=cpu .     (small, no GPU)
# eng/pin-base-images.sh renews the digests.
FROM mcr.microsoft.com/dotnet/sdk:10.0@sha256:35d40304542c8689331f8cab17c65926cdf48fe711e289321d71924b230a7d29 AS build
ARG TRAINER_DEVICE=cuda
ENV PUBLISHED=/published NATIVE=/native NUGET_PACKAGES=/nuget LEFT_OVER="/nuget /root/.local/share/NuGet /source/artifacts"
WORKDIR /source
COPY . .
# Native libraries go apart, with times that do not change. All in one layer: with CUDA each copy is some GB, and a
# registry's build has a small disk.
RUN dotnet publish src/ServerlessBert.Trainer -c Release -r linux-x64 -p:TrainerDevice="$TRAINER_DEVICE" -o "$PUBLISHED" \
    && mkdir "$NATIVE" && find "$PUBLISHED" -maxdepth 1 -name '*.so*' -exec mv -t "$NATIVE" {} + \
    && find "$NATIVE" -exec touch -d @0 {} + && rm -rf $LEFT_OVER

FROM mcr.microsoft.com/dotnet/aspnet:10.0-noble@sha256:2d584d8147faddb0d678c5748d47953e5b8e18621ed4fb7049a91381d9d7746f
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
