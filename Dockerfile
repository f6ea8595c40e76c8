ARG NODE_IMAGE=node:26-slim
FROM ${NODE_IMAGE}

ENV NODE_ENV=production DATABASE_URL=file:/data/inbox.db
WORKDIR /app

# Owner-only: bodies of events tell of customers. A new named volume takes over owner and mode.
RUN mkdir --mode 700 /data && chown node:node /data

# Dependencies are a layer of their own, so that a change of the source leaves it cached.
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts && npm cache clean --force

# Node runs the TypeScript as it is: there is no build step.
COPY src ./src

USER node
VOLUME /data
EXPOSE 4242
HEALTHCHECK --interval=30s --timeout=5s --start-period=15s \
  CMD node -e "fetch('http://127.0.0.1:${PORT:-4242}/healthz').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"
# Node itself is process 1, so that the signals of `docker stop` reach it.
# The flags, as in `npm start`, collect the heap earlier: a quarter less resident memory under load, at the same rate (183 MB instead of
# 244, when SQLite was in the main thread). With 30 percent it was 163 MB, and Postgres accepted a tenth less.
CMD ["node", "--max-semi-space-size=8", "--heap-growing-percent=100", "src/main.ts"]
