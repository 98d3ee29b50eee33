# The one program `faden` in an image: `docker build -t faden .`; docs/serving.md says how to run it.

# The console's pages, which the program carries in itself.
FROM node:22-bookworm-slim AS console
WORKDIR /build/web
COPY web/package.json web/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY web ./
COPY crates/server/openapi.json ../crates/server/openapi.json
RUN npm run build

FROM rust:1.95-bookworm AS program
WORKDIR /build
COPY Cargo.toml Cargo.lock ./
COPY .cargo .cargo
COPY crates crates
COPY docs/errors docs/errors
COPY examples/company examples/company
COPY --from=console /build/web/dist web/dist
RUN cargo build --release --locked -p faden && mv target/release/faden /faden && rm -rf target

FROM debian:bookworm-slim
# Providers, collectors and the health check itself are reached by a client that trusts what the system trusts.
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/*
# A number, so that Kubernetes can see that it is not root.
RUN useradd --system --uid 7700 --user-group --home-dir /data faden && install -d -o faden -g faden -m 0700 /data
COPY --from=program /faden /usr/local/bin/faden
USER 7700:7700
WORKDIR /data
ENV FADEN_DATA=/data FADEN_LISTEN=0.0.0.0:7700
VOLUME /data
EXPOSE 7700
# Needs no key and no other program. A start after a crash applies the rest of the log first.
HEALTHCHECK --interval=10s --timeout=5s --start-period=120s CMD ["faden", "doctor", "--ready"]
ENTRYPOINT ["faden"]
CMD ["serve"]
