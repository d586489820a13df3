FROM node:26.10.0-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The development dependency "node" would bring a second Node; its install script is not needed here.
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN ./node_modules/.bin/tsc -p tsconfig.build.json && node dist/storage/embedded/build-template.js

FROM node:26.10.0-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts && npm cache clean --force
# onnxruntime-node ships the libraries of every platform; one is enough.
RUN cd node_modules/onnxruntime-node/bin/napi-v* \
  && for platform in */*; do [ "$platform" = "$(node -p 'process.platform + "/" + process.arch')" ] || rm -rf "$platform"; done
# So does tokenizers.
RUN find node_modules/tokenizers -name '*.node' ! -name "tokenizers.linux-$(node -p process.arch)-gnu.node" -delete

# Text models of scikit-learn ask for the locale en_US.UTF-8, which the base image lacks.
FROM node:26.10.0-slim AS locale
RUN apt-get update && apt-get install -y --no-install-recommends locales \
  && localedef -i en_US -f UTF-8 --no-archive /usr/lib/locale/en_US.utf8

FROM node:26.10.0-slim
ENV NODE_ENV=production DATA_DIR=/data MODELS_CACHE_DIR=/data/model-cache
LABEL com.amazonaws.sagemaker.capabilities.multi-models=true \
  com.amazonaws.sagemaker.capabilities.accept-bind-to-port=true
WORKDIR /app
COPY --from=locale /usr/lib/locale/en_US.utf8 /usr/lib/locale/en_US.utf8
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY package.json LICENSE NOTICE ./
COPY models /models
# MODELS_DIR stays unset, so that a model that KServe or SageMaker mounts comes first.
RUN ln -s /models models && install -d -o node -g node /data
USER node
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT || process.env.AIP_HTTP_PORT || process.env.SAGEMAKER_BIND_TO_PORT || 8080}/health/live`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "/app/dist/main.js"]
